"""A style becomes a network that runs over folders (Johnson et al. 2016).

keras-dtl train fast-style --photos folder:photos --style painting.jpg
keras-dtl convert exported/fast-style photos/ out/

About fifty minutes on one CPU core; any few hundred photos will do.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from keras_dtl.prediction import predict
from keras_dtl.recipes.base import Recipe

HELD_OUT = 8
"""Photos that are kept for scoring and for the report."""


WARM_UP, WARM_UP_START = 0.05, 0.02
"""Share of the training in which the learning rate rises, and the share of it to begin with."""


class StyleData(NamedTuple):
    """Photos to train on, photos to score on, and the styles."""

    train: object
    held_out: object
    styles: list


@dataclass(frozen=True)
class FastStyleRecipe(Recipe):
    """A network that gives photos a style in one pass (Johnson et al. 2016)."""

    name: ClassVar[str] = "fast-style"
    suits: ClassVar[str] = "for one style on many photos, or on video"

    photos: str = "folder:photos"
    """Photos to train on: folder:PATH, or any named data set."""
    style: tuple[str, ...] = ()
    """Image of the style; several for one network with a choice of styles."""
    weights: str = "imagenet"
    """Weights of VGG19: imagenet (downloaded once), or a file of keras.applications.VGG19."""
    epochs: int = 14
    """Passes over the photos, of which the learning rate takes the whole as its length."""
    batch_size: int = 1
    """Photos in a step; 1 learns most in a given time on a CPU."""
    image_size: int = 256
    """Side in pixels to which photos are resized."""
    crop_size: int = 144
    """Side of the random part of a photo that a step sees, a multiple of 4."""
    style_size: int = 256
    """Longer side of the style: the smaller, the finer the strokes."""
    filters: int = 24
    """Channels of the generator's first map; the paper's 32 take longer."""
    content_weight: float | None = None
    """Weight of the content loss. Default: as published with the scale of the losses."""
    style_weight: float | None = None
    """Weight of the style loss. Default: as published with the scale of the losses."""
    variation_weight: float | None = None
    """Weight of the total variation. Default: as published with the scale of the losses."""
    learning_rate: float = 1e-3
    """Learning rate of Adam; it rises in the first twentieth and falls to 0 in the second half."""
    clip_norm: float = 1.0
    """Norm to which gradients are shortened: a glaring photo's is many times the usual one."""

    def data_lines(self) -> list[str]:
        told = f"{HELD_OUT} photos, evenly spread, are for scoring alone"
        return [*self._lines_of(self.photos, holds_out=True), f"{self.photos}: {told}"]

    def load_data(self):
        from keras_dtl.data import load
        from keras_dtl.images import read_image
        from keras_dtl.methods.style.images import resize_within

        self.check()
        places = {"data_dir": self.data_dir, "manual_dir": self.manual_dir}
        photos = load(self.photos, "train", image_size=self.image_size, channels=3, **places)
        if len(photos) <= HELD_OUT:
            raise ValueError(
                f"{self.photos} holds {len(photos)} photos, of which {HELD_OUT} are kept for "
                "scoring. Give some hundred."
            )
        photos = photos.without_labels()
        step = len(photos) // HELD_OUT
        held_out = range(0, step * HELD_OUT, step)
        train = [index for index in range(len(photos)) if index not in held_out]
        styles = [resize_within(read_image(path), self.style_size) for path in self.style]
        return StyleData(photos.subset(train), photos.subset(held_out), styles)

    def check(self):
        """Refuse settings that cannot be trained with.

        Raises:
            ValueError: Saying which, and how to mend it.
        """
        if not self.style:
            raise ValueError("Give the image of a style: --style painting.jpg.")
        if self.crop_size % 4 or not 16 <= self.crop_size <= self.image_size:
            raise ValueError(
                "--crop-size must be a multiple of 4, from 16 to --image-size. Received: "
                f"{self.crop_size}, with --image-size {self.image_size}."
            )

    def build_model(self, data):
        import keras

        from keras_dtl.backbones import transformer_net, vgg19_features
        from keras_dtl.methods import FastStyle
        from keras_dtl.methods.style.fast_style import CONTENT_LAYERS, STYLE_LAYERS

        count = len(data.styles)
        layers = tuple(dict.fromkeys((*STYLE_LAYERS, *CONTENT_LAYERS)))
        model = FastStyle(
            transformer_net(filters=self.filters, num_styles=count),
            vgg19_features(layers, self.weights),
            content_weight=self.content_weight,
            style_weight=self.style_weight,
            variation_weight=self.variation_weight,
            num_styles=count,
        )
        model.learn_styles(data.styles)
        optimizer = keras.optimizers.Adam(self.learning_rate, global_clipnorm=self.clip_norm)
        model.compile(optimizer, jit_compile=self.jit_compile)
        return model

    def batches(self, data, first_step: int):
        from keras_dtl.data import endless_batches

        return endless_batches(data.train, self.batch_size, self.seed, first_step, self.crop)

    def crop(self, images, seed):
        """Return a random part of each image of a batch, one and the same for all of them."""
        import tensorflow as tf

        shape = (self.batch_size, self.crop_size, self.crop_size, 3)
        return tf.image.stateless_random_crop(images, shape, tf.cast(seed, "int32"))

    def steps_per_epoch(self, data) -> int:
        from keras_dtl.data import steps_per_epoch

        return steps_per_epoch(data.train, self.batch_size)

    def callbacks(self, data) -> list:
        from keras_dtl.callbacks import ProgressSchedule, linear_decay

        decay = linear_decay(self.learning_rate)

        def warm(progress):
            return min(1.0, WARM_UP_START + progress / WARM_UP) * decay(progress)

        return [ProgressSchedule({"optimizer.learning_rate": warm})]

    def score(self, model, data) -> dict:
        return {
            f"style_{number}": model.distances(data.held_out.images, number)
            for number in range(len(data.styles))
        }

    def headline(self, scores: dict) -> dict:
        return {
            f"style distance left, {style}": found["style_left"] for style, found in scores.items()
        }

    def export_examples(self, data):
        return data.held_out.images[:2]

    def report(self, model, data, history: dict, scores: dict):
        from keras_dtl.evaluation import Report, figures

        report = Report(
            f"{self.name}: {', '.join(Path(path).name for path in self.style)}",
            f"{self.length} on {len(data.train)} photos, seed {self.seed}. The photos shown "
            "were not trained on.",
            self.printed_headline(scores),
        )
        photos = data.held_out.images
        for number, style in enumerate(data.styles):
            words = f"Style {number}, {Path(self.style[number]).name}, as it was learnt."
            report.add_figure("Style", figures.image_grid(style[None]), words)
        report.add_figure("Images", figures.image_grid(photos), "Photos.")
        for number in range(len(data.styles)):
            stylized = predict(model.deployable(number), photos, batch_size=1)
            report.add_figure("Images", figures.image_grid(stylized), f"In style {number}.")
        report.add_figure("Training", figures.curves(history), "Mean over each epoch's steps.")
        report.add_scores("Scores", scores)
        report.add_table("Settings", self.settings(), collapsed=True)
        return report
