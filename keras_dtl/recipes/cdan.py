"""Conditional domain-adversarial training (Long et al. 2018).

keras-dtl train cdan --source digits --target digits_m
keras-dtl train cdan --source mnist --target mnist_m --epochs 20
"""

from dataclasses import dataclass
from typing import ClassVar

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe


@dataclass(frozen=True)
class CDANRecipe(DomainAdaptationRecipe):
    """Domains made alike class by class, by a discriminator that knows the answers (Long et al.
    2018)."""

    name: ClassVar[str] = "cdan"
    suits: ClassVar[str] = (
        "for looks that differ class by class, where source-only is right more often than not"
    )

    adaptation_weight: float = 1.0
    """Weight of the domain loss."""
    final_reversal_strength: float = 1.0
    """Strength of gradient reversal at the end; it rises from 0 along the paper's curve."""
    entropy_conditioning: bool = True
    """Whether images whose class is sure count more in the domain loss (CDAN+E)."""

    def method(self, encoder, classifier):
        from keras_dtl.backbones import mlp
        from keras_dtl.methods import CDAN
        from keras_dtl.methods.adaptation.cdan import conditioned_size

        size = conditioned_size(encoder.output_shape[-1], classifier.output_shape[-1])
        return CDAN(
            encoder,
            classifier,
            mlp((size,), (100,), 1, name="discriminator"),
            adaptation_weight=self.adaptation_weight,
            reversal_strength=0.0,
            batch_norm=self.normalization,
            restrained=self.is_restrained(encoder),
            entropy_conditioning=self.entropy_conditioning,
            label_shift=self.label_shift,
        )

    def schedules(self):
        from keras_dtl.callbacks import reversal_ramp

        ramp = reversal_ramp(final=self.final_reversal_strength)
        return {**super().schedules(), "reversal_strength": ramp}
