"""Class and style of images apart (Mathieu et al. 2016).

keras-dtl train swap-vae --source mnist --mode leak_free --style 16

An epoch of MNIST has 937 steps of 64 triples and takes two to three minutes on one CPU core with
--filters 16. `python scripts/benchmarks/separation.py --rows mnist-leak_free-16` shows what eight
epochs reach: results/separation.json.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from keras_dtl.recipes.separation import GRID, SeparationRecipe, picture_figure


@dataclass(frozen=True)
class SwapVAERecipe(SeparationRecipe):
    """Class and style of images in two codes that can be exchanged (Mathieu et al. 2016)."""

    name: ClassVar[str] = "swap-vae"
    suits: ClassVar[str] = "for images of one content in several styles, told apart"
    next_words: ClassVar[str] = "export {run} --style-of IMAGE --output {artifact}-in-style"
    caption: ClassVar[str] = (
        "Each image has the style of its row and the class of its column; real images on the "
        "margins."
    )

    epochs: int = 15
    """Passes over the images."""
    mode: Literal["faithful", "leak_free"] = "leak_free"
    """As published, or with what takes the class out of the style."""
    adversary: Literal["class", "pair"] = "pair"
    """What the discriminator sees beside an image: its class, or another image of it."""
    adversarial_weight: float = 0.2
    """Weight of the game against the discriminator; 0.01 as published."""
    divergence_weight: float = 1.0
    """Weight of the styles' divergence from the prior, which is divided by an image's numbers; 0.6
    as published."""
    confusion_weight: float = 0.3
    """Weight of the confusion of the classifier of styles; leak_free alone."""
    cycle_weight: float = 0.05
    """Weight of the reverse cycle; leak_free alone."""
    discrepancy_weight: float = 10.0
    """Weight of the discrepancy between each class's styles and the prior; leak_free alone."""
    contrast_weight: float = 0.1
    """Weight of telling classes apart by the content of real and generated images; leak_free
    alone."""
    classifier_steps: int = 3
    """Steps of the classifier of styles for each of the encoder; leak_free alone."""

    def method(self, data):
        from keras_dtl.backbones import (
            class_discriminator,
            latent_decoder,
            latent_encoder,
            pair_discriminator,
        )
        from keras_dtl.methods import SwapVAE

        classes = len(data.train.classes)
        # Real and generated images go through the encoder: batches must not share statistics.
        codes = (self.content, self.style, self.filters, "instance")
        if self.adversary == "class":
            discriminator = class_discriminator(self.shape, classes, self.filters)
        else:
            discriminator = pair_discriminator(self.shape, "concat", self.filters)
        judge = self.latent_classifier(classes) if self.mode == "leak_free" else None
        return SwapVAE(
            latent_encoder(self.shape, *codes),
            latent_decoder(self.shape, *codes),
            discriminator,
            judge,
            adversary=self.adversary,
            mode=self.mode,
            adversarial_weight=self.adversarial_weight,
            divergence_weight=self.divergence_weight,
            confusion_weight=self.confusion_weight,
            cycle_weight=self.cycle_weight,
            discrepancy_weight=self.discrepancy_weight,
            contrast_weight=self.contrast_weight,
            classifier_steps=self.classifier_steps,
            **self.restraints(),
        )

    def latent_classifier(self, classes: int):
        """Return the classifier of styles, which does not feel their scale.

        Without the normalisation the encoder would hide the class by shrinking all styles.
        """
        import keras

        from keras_dtl.backbones import mlp

        style = keras.Input((self.style,), name="style")
        scaled = keras.layers.BatchNormalization(center=False, scale=False)(style)
        logits = mlp((self.style,), (256, 256), classes)(scaled)
        return keras.Model(style, logits, name="latent_classifier")

    def batches(self, data, first_step: int):
        from keras_dtl.data import view_batches

        return view_batches(data.train, self.batch_size, self.seed, first_step)

    def schedules(self) -> dict:
        from keras_dtl.callbacks import cosine_decay

        return {"optimizer.learning_rate": cosine_decay(self.learning_rate)}

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation.separation_scores import Autoencoder, swap_scores

        autoencoder = Autoencoder(codes_reader(model), model.parts()["decoder"])
        train, test = data.train.arrays(), data.test.arrays()
        return swap_scores(autoencoder, self.judge(data), train, test, self.seed)

    def progress(self, model, data, judge) -> dict:
        from keras_dtl.evaluation.separation_scores import swap_progress

        return swap_progress(model.deployable(), judge, *data.test.arrays())

    def headline(self, scores: dict) -> dict:
        return {
            "class from s": scores["class_from"]["s"]["mlp"],
            "class from z": scores["class_from"]["z_sample"]["mlp"],
            "swap accuracy": scores["swap_accuracy"]["share"],
            "prior accuracy": scores["prior_accuracy"]["share"],
            **{f"{name} kept": value for name, value in scores["style_kept"].items()},
            "diversity": scores["diversity"]["features"],
        }

    def format_number(self, name: str, value: float) -> str:
        if not name.endswith(" kept"):
            return super().format_number(name, value)
        return f"{value:.2f} ({'R²' if name == 'code kept' else 'correlation'})"

    def picture(self, model, data) -> np.ndarray:
        from keras_dtl.evaluation.figures.code_grids import swap_grid

        images, labels = data.test.images, data.test.labels
        firsts = [(labels == label).argmax() for label in range(len(data.test.classes))]
        return swap_grid(model.deployable(), images[-GRID:], images[firsts[:GRID]])

    def add_pictures(self, report, model, data) -> None:
        from keras_dtl.evaluation.figures.code_grids import walks
        from keras_dtl.evaluation.separation_scores import codes_of

        super().add_pictures(report, model, data)
        codes = codes_of(codes_reader(model), data.test.images[:2])
        figure = picture_figure(walks(model.parts()["decoder"], codes["s"], codes["z_mean"]))
        caption = "From one image to another: above along the style, below along the content."
        report.add_figure("Interpolation", figure, caption)


def codes_reader(model):
    """Return the function from uint8 images to content, mean and log variance of the style.

    Args:
        model: The `SwapVAE`.
    """
    from keras_dtl.methods.signed_images import to_signed

    return lambda images: model.encoder(to_signed(images), training=False)
