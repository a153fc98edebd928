"""What the recipes of separation share: one labelled data set, players, schedules, pictures."""

from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from keras_dtl.recipes.base import Recipe

GRID = 10
"""Rows and columns of the grids that are shown."""
LARGEST = 6.0
"""Width of a grid in the report, in inches."""
PICTURES = 20
"""About so many times in a training, at most, pictures are drawn and measures taken."""


class SeparationData(NamedTuple):
    """Labelled images of one data set, and those of classes that were not trained on, if any."""

    train: object
    test: object
    held_out: object = None


@dataclass(frozen=True)
class SeparationRecipe(Recipe):
    """Content and style of images in two codes; the fields that all methods have."""

    source: str = "mnist"
    """Images by class or object: a data set by name, folder:PATH with a sub-folder a class, or
    npz:PATH.npz:LABEL."""
    image_size: int = 28
    """Side of the images, which must halve to 7 or 4: 28, 32, 64."""
    channels: Literal[1, 3] = 1
    """Channels of the images: grey or RGB."""
    content: int = 16
    """Numbers in the code of the class or object."""
    style: int = 16
    """Numbers in the code of the style or view."""
    filters: int = 32
    """Channels of the networks' largest maps."""
    learning_rate: float = 1e-3
    """Learning rate of encoder and generator; Adam, beta_1 0.5."""
    discriminator_learning_rate: float = 2e-4
    """That of the discriminator, which must not win."""
    gate: float = 0.8
    """Share of right answers above which the discriminator rests; 1: never."""
    real_penalty_weight: float = 0.0
    """Weight of the penalty R1 on the discriminator's slope."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)` of the images."""
        return (self.image_size, self.image_size, self.channels)

    def load_data(self):
        from keras_dtl.data import load, require_classes

        places = {"data_dir": self.data_dir, "manual_dir": self.manual_dir}
        train, test = (
            load(self.source, split, self.image_size, self.channels, **places)
            for split in ("train", "test")
        )
        require_classes(train)
        require_classes(test)
        return SeparationData(train, test)

    def method(self, data):
        """Return the `Separation` model."""
        raise NotImplementedError

    def restraints(self) -> dict:
        """Return what keeps the discriminator from winning, as the method's arguments."""
        return {
            "gate": None if self.gate >= 1 else self.gate,
            "real_penalty_weight": self.real_penalty_weight,
            "real_target": 0.9,
            "generated_target": 0.1,
        }

    def build_model(self, data):
        import keras

        def adam(rate):
            return keras.optimizers.Adam(rate, beta_1=0.5)

        model = self.method(data)
        rates = dict.fromkeys(model.player_optimizers, self.discriminator_learning_rate)
        if "classifier_optimizer" in rates:
            rates["classifier_optimizer"] = self.learning_rate
        model.compile(
            adam(self.learning_rate),
            jit_compile=self.jit_compile,
            **{name: adam(rate) for name, rate in rates.items()},
        )
        return model

    def steps_per_epoch(self, data) -> int:
        from keras_dtl.data import steps_per_epoch

        return steps_per_epoch(data.train, self.batch_size)

    def callbacks(self, data) -> list:
        from keras_dtl.callbacks import ProgressSchedule

        return [ProgressSchedule(self.schedules())]

    def watchers(self, data) -> list:
        from keras_dtl.callbacks import Measure, ProgressImages

        every = max(1, self.epochs // PICTURES)
        judge = self.judge(data)
        return [
            Measure(lambda model: self.progress(model, data, judge), every),
            ProgressImages(self.run_folder, lambda model: self.picture(model, data), every),
        ]

    def judge(self, data):
        """Return the frozen classifier of real images that judges generated ones."""
        from keras_dtl.evaluation.image_judge import load_or_fit_judge

        examples = self.judge_examples(data)
        fit = partial(fit_lenet_judge, examples)
        return load_or_fit_judge(fit, examples.images, examples.labels, self.run_folder)

    def judge_examples(self, data):
        """Return the `LabelledImages` that the judge learns."""
        return data.train

    def progress(self, model, data, judge) -> dict:
        """Return the measures that appear in the logs in the course of a training."""
        raise NotImplementedError

    def schedules(self) -> dict:
        """Return what changes with progress: by default nothing."""
        return {}

    def picture(self, model, data) -> np.ndarray:
        """Return a picture of how far the codes are apart: a grid, uint8."""
        raise NotImplementedError

    def report(self, model, data, history: dict, scores: dict):
        words = f"{self.length} at {self.image_size} pixels, seed {self.seed}."
        return self.illustrated_report(words, model, data, history, scores)

    def add_pictures(self, report, model, data) -> None:
        figure = picture_figure(self.picture(model, data))
        report.add_figure("Both codes", figure, self.caption)


def fit_lenet_judge(examples):
    """Return the judge of images: a LeNet below its hidden layer.

    Args:
        examples: `LabelledImages`, 16 pixels a side or more.
    """
    from keras_dtl.backbones import lenet
    from keras_dtl.data import endless_batches
    from keras_dtl.evaluation.image_judge import JUDGE_BATCH, fit_judge

    return fit_judge(
        lambda: lenet(examples.image_shape),
        *examples.arrays(),
        num_classes=len(examples.classes),
        batches=endless_batches(examples, JUDGE_BATCH, seed=0),
    )


def without_some_classes(data: SeparationData, share: float, seed: int) -> SeparationData:
    """Return the data with a share of the classes held out: all their images, of both splits.

    Args:
        data: The `SeparationData`.
        share: Of the classes, in 0..1.
        seed: Their choice.
    """
    from keras_dtl.data import hold_out_classes

    train, held = hold_out_classes(data.train, share, seed)
    of_held = np.isin(data.test.labels, held.labels)
    held = held.join(data.test.subset(np.flatnonzero(of_held)))
    return SeparationData(train, data.test.subset(np.flatnonzero(~of_held)), held)


def picture_figure(picture: np.ndarray):
    """Return the figure of one picture, as wide as a report shows a grid.

    Args:
        picture: uint8 `(height, width, channels)`.
    """
    from keras_dtl.evaluation import figures

    return figures.image_grid(picture[None], columns=1, largest=LARGEST)
