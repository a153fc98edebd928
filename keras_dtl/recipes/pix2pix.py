"""Translation learnt from pairs (Isola et al. 2017).

keras-dtl train pix2pix --source paired:facades --direction b-to-a --image-size 64 --epochs 60
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.translation import Adversarial, TranslationRecipe


@dataclass(frozen=True)
class Pix2PixRecipe(TranslationRecipe):
    """A generator that learns from pairs of images (Isola et al. 2017)."""

    name: ClassVar[str] = "pix2pix"
    data_kind: ClassVar[str] = "paired"
    suits: ClassVar[str] = "for pairs of images, one to become the other"
    paired: ClassVar[bool] = True

    source: str = "paired:pairs"
    """Pairs: paired:PATH, side by side in one file each or in sub-folders A and B."""
    direction: Literal["a-to-b", "b-to-a"] = "a-to-b"
    """From the left image to the right one, or the other way."""
    decay_start: float = 1.0
    """Share of the training after which the learning rate falls to 0; 1: never, as published."""
    adversarial: Adversarial = "vanilla"
    """The game between generator and discriminator."""
    adversarial_weight: float = 1.0
    """Weight of the generator's adversarial loss; 0: no discriminator."""
    reconstruction: Literal["l1", "l2", "none"] = "l1"
    """Distance to the known answer."""
    reconstruction_weight: float = 100.0
    """Weight of that distance."""
    conditional: bool = True
    """Show the discriminator the source beside the translation."""
    normalization: Literal["batch", "instance"] = "batch"
    """Normalisation in both networks; wgan_gp leaves the discriminator without."""
    dropout: float = 0.5
    """Share of numbers dropped in the generator's three innermost maps, as noise."""

    def load_data(self):
        from keras_dtl.data import load_pairs
        from keras_dtl.data.names import divide_name
        from keras_dtl.data.pairs import PREFIX

        prefix, path = divide_name(self.source)
        if prefix != PREFIX:
            raise ValueError(
                f"pix2pix learns from pairs. Received: --source {self.source}. Expected "
                f"{PREFIX}:PATH, such as {PREFIX}:facades."
            )
        channels = (self.channels_a, self.channels_b)
        before, after = self.size_before_crop, self.image_size
        train = load_pairs(path, "train", (before, before), channels)
        test = load_pairs(path, "test", (after, after), channels)
        if self.direction == "b-to-a":
            train, test = train.swap(), test.swap()
        return self.divide(train, test.a, test.b)

    def in_direction(self, images) -> tuple:
        return images.a, images.b

    def method(self):
        from keras_dtl.backbones import patch_discriminator, unet
        from keras_dtl.methods import Pix2Pix

        size = (self.image_size, self.image_size)
        channels = (self.channels_a, self.channels_b)
        of_source, of_target = channels if self.direction == "a-to-b" else channels[::-1]
        generator = unet(
            (*size, of_source), of_target, self.filters, None, self.normalization, self.dropout
        )
        discriminator = patch_discriminator(
            (*size, of_source * self.conditional + of_target),
            self.receptive_field,
            self.filters,
            None if self.adversarial == "wgan_gp" else self.normalization,
        )
        return Pix2Pix(
            generator,
            discriminator,
            adversarial=self.adversarial,
            adversarial_weight=self.adversarial_weight,
            reconstruction=None if self.reconstruction == "none" else self.reconstruction,
            reconstruction_weight=self.reconstruction_weight,
            conditional=self.conditional,
        )

    def batches(self, data, first_step: int):
        from keras_dtl.data import paired_batches

        return paired_batches(data.train, self.batch_size, self.seed, first_step, self.augment())

    def steps_per_epoch(self, data) -> int:
        from keras_dtl.data import steps_per_epoch

        return steps_per_epoch(data.train, self.batch_size)

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation import absolute_error, feature_network, structural_similarity
        from keras_dtl.evaluation.similarity import SSIM_SIDE
        from keras_dtl.evaluation.translation_scores import (
            perceptual_scores,
            set_distances,
            translate,
        )

        network = feature_network(self.features)
        translated, answers = translate(model.deployable(), data.test.a), data.test.b
        similarity = {}
        if self.image_size >= SSIM_SIDE:
            similarity["structural_similarity"] = structural_similarity(translated, answers)
        return {
            "absolute_error": absolute_error(translated, answers),
            **similarity,
            **perceptual_scores(network, translated, answers),
            **set_distances(network, translated, answers),
            "test_images": len(answers),
        }

    def headline(self, scores: dict) -> dict:
        counts = "kid" in scores and self.distances_count(scores)
        kid = {"KID": scores["kid"]} if counts else {}
        return {**kid, "absolute error (levels of 255)": scores["absolute_error"]}
