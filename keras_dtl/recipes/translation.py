"""What the recipes of image translation share: two domains, schedules, measures, pictures."""

import logging
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from keras_dtl.recipes.base import Recipe

CROP = 256 / 286
"""What is left of a side after the papers' random crop."""
BEST = "best.weights.h5"
PICTURED = 4
"""How many images the progress pictures show."""
ENOUGH_IMAGES = 500
"""Test images of a domain from which on distances between sets are more than noise."""
FEW_TO_CHOOSE_BY = 50
"""Images below which the lowest KID of a training is that of a lucky moment."""
Adversarial = Literal["vanilla", "least_squares", "hinge", "wgan_gp"]
ReceptiveField = Literal[1, 16, 34, 70, 142, 286]


class Images(NamedTuple):
    """uint8 images of both domains, `(examples, height, width, channels)`."""

    a: np.ndarray
    b: np.ndarray


class TranslationData(NamedTuple):
    """What is trained on, what the best weights are chosen by, and what is scored on."""

    train: object
    validation: Images
    test: Images


logger = logging.getLogger("keras_dtl")


@dataclass(frozen=True)
class TranslationRecipe(Recipe):
    """Generators of images; the fields that both methods have."""

    paired: ClassVar[bool]
    """Whether each image to translate has an answer."""

    epochs: int = 200
    """Passes over the larger domain."""
    batch_size: int = 1
    """Images of each domain in a step; the papers take 1."""
    image_size: int = 256
    """Side of the images in training. The trained generator takes any size."""
    load_size: int | None = None
    """Side to resize to before the random crop. Default: 286/256 of --image-size."""
    flip: bool = True
    """Mirror half of the images."""
    channels_a: Literal[1, 3, 4] = 3
    """Channels of the images of A: grey, RGB, or RGB with alpha."""
    channels_b: Literal[1, 3, 4] = 3
    """Channels of the images of B."""
    filters: int = 64
    """Channels of the networks' first maps."""
    receptive_field: ReceptiveField = 70
    """Side in pixels of the patches that the discriminator judges."""
    learning_rate: float = 2e-4
    """Learning rate of both players' Adam."""
    decay_start: float = 0.5
    """Share of the training after which the learning rate falls to 0; 1: never."""
    features: str = "random"
    """Network that FID and KID are measured with: random, inception_v3:PATH, mobilenet_v2:PATH,
    or a .keras file."""
    measure_every: int = 5
    """Epochs from one KID and progress picture to the next."""
    keep: Literal["best", "last"] = "best"
    """Weights that are published: those of the lowest KID on half of the test images, while the
    other half is scored, or the last."""

    @property
    def size_before_crop(self) -> int:
        """Side in pixels of training images before the random crop."""
        return self.load_size or round(self.image_size / CROP)

    def method(self):
        """Return the `Translation` model."""
        raise NotImplementedError

    def build_model(self, data):
        import keras

        model = self.method()
        adam = {"learning_rate": self.learning_rate, "beta_1": 0.5}
        model.compile(
            keras.optimizers.Adam(**adam),
            discriminator_optimizer=keras.optimizers.Adam(**adam),
            jit_compile=self.jit_compile,
        )
        return model

    def augment(self):
        """Return the random crop and mirror of training images."""
        from keras_dtl.data import jitter

        return jitter(self.image_size, self.flip)

    def divide(self, train, a: np.ndarray, b: np.ndarray) -> TranslationData:
        """Return the data: all test images, or half of them, are scored on."""
        if self.keep == "last":
            if min(len(a), len(b)) < 2:
                logger.warning(
                    "FID and KID are left out: %d and %d test image(s) of A and B, and they need 2 "
                    "of each. Add test images to have them.",
                    len(a),
                    len(b),
                )
            return TranslationData(train, Images(a, b), Images(a, b))
        if min(len(a), len(b)) < 4:
            raise ValueError(
                f"{min(len(a), len(b))} test image(s) cannot both choose the weights and score "
                "them: 4 are needed. Add test images, or pass --keep last."
            )
        chosen_by = Images(a[::2], b[::2])
        if (count := min(map(len, chosen_by))) < FEW_TO_CHOOSE_BY:
            logger.warning(
                "The weights are chosen by the KID of %d images, which is mostly chance. Add test "
                "images, or pass --keep last.",
                count,
            )
        return TranslationData(train, chosen_by, Images(a[1::2], b[1::2]))

    def schedules(self) -> dict:
        from keras_dtl.callbacks import constant, linear_decay

        rate = constant(self.learning_rate)
        if self.decay_start < 1:
            rate = linear_decay(self.learning_rate, self.decay_start)
        return {
            "optimizer.learning_rate": rate,
            "discriminator_optimizer.learning_rate": rate,
        }

    def callbacks(self, data) -> list:
        from keras_dtl.callbacks import ProgressSchedule

        return [ProgressSchedule(self.schedules())]

    def watchers(self, data) -> list:
        from keras_dtl.callbacks import Alarm, Measure, ProgressImages
        from keras_dtl.recipes.translation_report import INVERSION, INVERTED

        best = [self.lowest_kid()] if self.keep == "best" else []
        return [
            Measure(self.progress_measure(data.validation), self.measure_every),
            Alarm("brightness_correlation", INVERTED, INVERSION),
            *best,
            ProgressImages(
                self.run_folder,
                lambda model: self.progress_picture(model, data.validation),
                self.measure_every,
            ),
        ]

    def distances_count(self, scores: dict) -> bool:
        """Return whether FID and KID say something: with features that were learnt, of enough
        images. By random features of a few dozen images pure noise comes near to 0.

        Args:
            scores: What `score` returned.
        """
        return self.features != "random" and scores.get("test_images", 0) >= ENOUGH_IMAGES

    def export_examples(self, data):
        source, _ = self.in_direction(data.test)
        return source[:2] if len(source) else None

    def progress_measure(self, images: Images):
        """Return the function from the model to KID and correlation of brightness on images."""
        from keras_dtl.evaluation import TranslationProgress, feature_network

        source, answers = self.in_direction(images)
        reference = answers if self.paired else source
        progress = TranslationProgress(feature_network(self.features), source, answers, reference)
        return lambda model: progress(model.deployable())

    def progress_picture(self, model, images: Images):
        """Return a row of sources, one of translations and, for pairs, one of answers: uint8."""
        from keras_dtl.evaluation.figures.code_grids import stack_rows
        from keras_dtl.evaluation.translation_scores import translate

        source, answers = (part[:PICTURED] for part in self.in_direction(images))
        rows = [source, translate(model.deployable(), source)]
        return stack_rows([*rows, answers] if self.paired else rows)

    def in_direction(self, images: Images) -> tuple:
        """Return the images to translate and those of the other domain."""
        raise NotImplementedError

    def lowest_kid(self):
        """Return the callback that keeps the weights of the lowest KID."""
        from keras_dtl.callbacks import KeepBest

        return KeepBest(self.run_folder / BEST, "kid", lowest=True)

    def select_weights(self, model, data) -> dict | None:
        kept = self.lowest_kid()
        best = kept.best()
        if self.keep == "last" or best is None:
            return None
        kept.load_best(model)
        return {"chosen_by": "kid", **best._asdict()}

    def report(self, model, data, history: dict, scores: dict):
        from keras_dtl.recipes.translation_report import translation_report

        return translation_report(self, model, data, history, scores)

    def format_number(self, name: str, value: float) -> str:
        return f"{value:.4g}"
