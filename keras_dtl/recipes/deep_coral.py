"""Deep CORAL (Sun & Saenko 2016).

keras-dtl train deep-coral --source digits --target digits_m
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe


@dataclass(frozen=True)
class DeepCORALRecipe(DomainAdaptationRecipe):
    """Layers that covary alike in both domains (Sun & Saenko 2016)."""

    name: ClassVar[str] = "deep-coral"
    suits: ClassVar[str] = "for domains that differ in colour and contrast; cheap"

    adaptation_weight: Literal["auto"] | float = "auto"
    """Weight of the CORAL loss; auto keeps it as large as the label loss, the authors' rule."""
    compared: tuple[str, ...] = ("logits",)
    """Layers whose covariances are compared; features and logits name the networks' outputs."""
    gather: bool = False
    """Compare the images of all devices and workers, as one does, not each its own."""

    def method(self, encoder, classifier):
        from keras_dtl.methods import DeepCORAL

        return DeepCORAL(
            encoder,
            classifier,
            adaptation_weight=self.adaptation_weight,
            compared=self.compared,
            batch_norm=self.normalization,
            label_shift=self.label_shift,
            gather=self.gather,
        )
