"""Minimum class confusion (Jin et al. 2020): what to try first on photos.

keras-dtl train mcc --source digits --target digits_m
keras-dtl train mcc --source folder:photos --target folder:sketches --image-size 128 \
    --backbone MobileNetV2 --weights imagenet --batch-norm frozen

`scripts/benchmarks/pacs_end_to_end.py` compares it with the other methods on six tasks.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe
from keras_dtl.recipes.rates import SMALL_BACKBONES


@dataclass(frozen=True)
class MCCRecipe(DomainAdaptationRecipe):
    """Target classes that are not mistaken for each other (Jin et al. 2020)."""

    name: ClassVar[str] = "mcc"
    suits: ClassVar[str] = (
        "for photos, and wherever the target's class shares are unknown; try it first"
    )
    ramped: ClassVar[bool] = True

    adaptation_weight: float = 1.0
    """Weight of the class confusion; it rises from 0 along the curve of the reversal strength."""
    temperature: float = 2.5
    """Of the answers that are compared."""
    augment: Literal["auto", "none", "crop", "mixed", "strong", "affine", "intensity", "both"] = (
        "auto"
    )
    """Change training images at random: auto is mixed for an architecture of keras.applications,
    which sees photos, and none for lenet. See the other methods."""
    even_classes: bool = True
    """Show the source's classes equally often, the images of rarer ones several times over: the
    target may hold them in other shares."""

    def change(self) -> str:
        if self.augment == "auto":
            return "none" if self.backbone in ("auto", *SMALL_BACKBONES) else "mixed"
        return self.augment

    def method(self, encoder, classifier):
        from keras_dtl.methods import MCC

        return MCC(
            encoder,
            classifier,
            adaptation_weight=self.adaptation_weight,
            temperature=self.temperature,
            batch_norm=self.normalization,
            label_shift=self.label_shift,
        )
