"""AdaMatch: pseudo-labels that survive strong changes of the image (Berthelot et al. 2022).

keras-dtl train adamatch --source digits --target digits_m --strong both
keras-dtl train adamatch --source folder:photos --target folder:sketches --image-size 128 \
    --backbone MobileNetV2 --weights imagenet --batch-norm frozen --augment crop
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe


@dataclass(frozen=True)
class AdaMatchRecipe(DomainAdaptationRecipe):
    """Answers that survive strong changes of the image (Berthelot et al. 2022)."""

    name: ClassVar[str] = "adamatch"
    suits: ClassVar[str] = (
        "for targets whose classes come in the source's shares, with images enough to change"
    )

    adaptation_weight: float = 1.0
    """Weight of the pseudo-labels; it rises over the first half of the training."""
    threshold: float = 0.9
    """Certainty from which an answer is a pseudo-label, as a share of the source's mean."""
    strong: Literal["strong", "affine", "intensity", "both"] = "strong"
    """Strong changes: strong for photos, both for digits; see --augment."""

    def method(self, encoder, classifier):
        from keras_dtl.methods import AdaMatch

        return AdaMatch(
            encoder,
            classifier,
            adaptation_weight=self.adaptation_weight,
            threshold=self.threshold,
            batch_norm=self.normalization,
            label_shift=self.label_shift,
        )

    def strong_changes(self):
        from keras_dtl.data.augmentation import AUGMENTATIONS

        return AUGMENTATIONS[self.strong]

    def schedules(self) -> dict:
        from keras_dtl.callbacks import half_cosine_rise

        return {**super().schedules(), "adaptation_strength": half_cosine_rise()}
