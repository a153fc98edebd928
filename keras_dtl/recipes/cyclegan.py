"""Translation learnt without pairs (Zhu et al. 2017).

keras-dtl train cyclegan --source folder:monet2photo/trainA --target folder:monet2photo/trainB
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.translation import Adversarial, TranslationRecipe

SMALL = 256
"""Side in pixels below which the authors take 6 residual blocks, not 9."""


@dataclass(frozen=True)
class CycleGANRecipe(TranslationRecipe):
    """Generators between two folders of images without pairs (Zhu et al. 2017)."""

    name: ClassVar[str] = "cyclegan"
    suits: ClassVar[str] = "for two folders of unpaired images, one to look like the other"
    paired: ClassVar[bool] = False
    onednn: ClassVar[bool] = False

    source: str = "digits"
    """Domain A: folder:PATH, or the name of a data set, whose labels are not used."""
    target: str = "digits_m"
    """Domain B: the same names."""
    direction: Literal["a-to-b", "b-to-a"] = "a-to-b"
    """Which of the two generators is measured, exported and published."""
    blocks: int | None = None
    """Residual blocks of a generator. Default: 9 from 256 pixels on, else 6."""
    adversarial: Adversarial = "least_squares"
    """The game between generators and discriminators."""
    cycle_weight: float = 10.0
    """Weight of the distance after the way there and back."""
    identity_weight: float = 0.5
    """Weight, in units of the former, of leaving alone what is of the target domain already."""
    pool_size: int = 50
    """Generated images of each domain that the discriminators remember."""
    padding: Literal["reflect", "zero"] = "reflect"
    """What is beyond the edge of a generator's maps."""
    upsampling: Literal["transposed", "resize"] = "transposed"
    """How a generator doubles its maps; transposed, as in the paper, may draw checkerboards."""

    def data_lines(self) -> list[str]:
        from keras_dtl.data.translation import HELD_OUT, is_held_out_of

        sides = ((self.source, "a"), (self.target, "b"))
        held = [name for name, side in sides if is_held_out_of(name, side)]
        names = dict.fromkeys(name for name, _ in sides)
        lines = [line for name in names for line in self._lines_of(name, name in held)]
        told = f"here one image in {HELD_OUT}, by name, is for testing alone"
        return [*lines, *(f"{name}: {told}" for name in held)]

    def load_data(self):
        from keras_dtl.data import load_domain

        sizes = self.size_before_crop, self.image_size
        places = {"data_dir": self.data_dir, "manual_dir": self.manual_dir}
        train_a, test_a = load_domain(self.source, *sizes, self.channels_a, "a", **places)
        train_b, test_b = load_domain(self.target, *sizes, self.channels_b, "b", **places)
        return self.divide((train_a, train_b), test_a, test_b)

    def in_direction(self, images) -> tuple:
        return images if self.direction == "a-to-b" else images[::-1]

    def method(self):
        from keras_dtl.backbones import patch_discriminator, resnet_generator
        from keras_dtl.methods import CycleGAN

        size = (self.image_size, self.image_size)
        channels = (self.channels_a, self.channels_b)
        blocks = self.blocks or (9 if self.image_size >= SMALL else 6)
        generators = [
            resnet_generator(
                (*size, before),
                after,
                self.filters,
                blocks,
                padding=self.padding,
                upsampling=self.upsampling,
                name=name,
            )
            for before, after, name in (
                (*channels, "generator_a_to_b"),
                (*channels[::-1], "generator_b_to_a"),
            )
        ]
        discriminators = [
            patch_discriminator(
                (*size, count), self.receptive_field, self.filters, "instance", name=name
            )
            for count, name in zip(channels, ("discriminator_a", "discriminator_b"), strict=True)
        ]
        return CycleGAN(
            *generators,
            *discriminators,
            adversarial=self.adversarial,
            cycle_weight=self.cycle_weight,
            identity_weight=self.identity_weight,
            pool_size=self.pool_size,
            direction=self.direction.replace("-", "_"),
        )

    def batches(self, data, first_step: int):
        from keras_dtl.data import unpaired_batches

        return unpaired_batches(*data.train, self.batch_size, self.seed, first_step, self.augment())

    def steps_per_epoch(self, data) -> int:
        from keras_dtl.data import steps_per_epoch

        return steps_per_epoch(max(data.train, key=len), self.batch_size)

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation import feature_network
        from keras_dtl.evaluation.translation_scores import cycle_errors, set_distances, translate

        network = feature_network(self.features)
        generators = model.deployable("a_to_b"), model.deployable("b_to_a")
        to_b, to_a = (translate(*pair) for pair in zip(generators, data.test, strict=True))
        return {
            "a_to_b": set_distances(network, to_b, data.test.b),
            "b_to_a": set_distances(network, to_a, data.test.a),
            **cycle_errors(generators, data.test, (to_b, to_a)),
            "test_images": min(map(len, data.test)),
        }

    def headline(self, scores: dict) -> dict:
        error = {"cycle error (levels of 255)": scores["cycle_error"]}
        if not self.distances_count(scores):
            return error
        ways = [way for way in ("a_to_b", "b_to_a") if "kid" in scores[way]]
        return {f"KID {way}": scores[way]["kid"] for way in ways} | error
