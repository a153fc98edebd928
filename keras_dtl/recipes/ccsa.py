"""Contrastive semantic alignment, with a few target labels (Motiian et al. 2017).

keras-dtl train ccsa --source digits --target digits_m --shots 3
"""

from dataclasses import dataclass
from typing import ClassVar

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe


@dataclass(frozen=True)
class CCSARecipe(DomainAdaptationRecipe):
    """Features of a class together, of others apart, across domains (Motiian et al. 2017)."""

    name: ClassVar[str] = "ccsa"
    suits: ClassVar[str] = (
        "for a few labels of each class in the target, and no other target images"
    )

    shots: int = 3
    """Target images of each class whose labels are learnt, drawn by the seed."""
    adaptation_weight: float = 0.25
    """Weight of alignment and separation."""
    margin: float = 1.0
    """From which distance on features of different classes are far enough apart."""

    def method(self, encoder, classifier):
        from keras_dtl.methods import CCSA

        return CCSA(encoder, classifier, self.adaptation_weight, self.margin, self.normalization)
