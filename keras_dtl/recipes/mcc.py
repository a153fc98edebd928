"""Minimum class confusion (Jin et al. 2020).

keras-dtl train mcc --source digits --target digits_m
keras-dtl train mcc --source folder:photos --target folder:sketches --image-size 128 \\
    --backbone MobileNetV2 --weights imagenet --batch-norm frozen --augment crop
"""

from dataclasses import dataclass
from typing import ClassVar

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe


@dataclass(frozen=True)
class MCCRecipe(DomainAdaptationRecipe):
    """Target classes that are not mistaken for each other (Jin et al. 2020)."""

    name: ClassVar[str] = "mcc"
    ramped: ClassVar[bool] = True

    adaptation_weight: float = 1.0
    """Weight of the class confusion; it rises from 0 along the curve of the reversal strength."""
    temperature: float = 2.5
    """Of the answers that are compared."""

    def method(self, encoder, classifier):
        from keras_dtl.methods import MCC

        return MCC(
            encoder,
            classifier,
            adaptation_weight=self.adaptation_weight,
            temperature=self.temperature,
            batch_norm=self.batch_norm,
            label_shift=self.label_shift,
        )
