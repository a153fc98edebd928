"""Domain-adversarial training (Ganin et al. 2016).

keras-dtl train dann --source digits --target digits_m
keras-dtl train dann --source mnist --target mnist_m --epochs 20
"""

from dataclasses import dataclass
from typing import ClassVar

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe


@dataclass(frozen=True)
class DANNRecipe(DomainAdaptationRecipe):
    """Features from which a discriminator cannot tell the domain (Ganin et al. 2016)."""

    name: ClassVar[str] = "dann"
    suits: ClassVar[str] = "for domains that hold their classes in like shares, such as digits"

    adaptation_weight: float = 1.0
    """Weight of the domain loss."""
    final_reversal_strength: float = 1.0
    """Strength of gradient reversal at the end; it rises from 0 along the paper's curve."""
    refit_head: bool = False
    """Refit the last layer with a linear SVM before scoring, as the paper does."""

    def method(self, encoder, classifier):
        from keras_dtl.backbones import mlp
        from keras_dtl.methods import DANN

        discriminator = mlp(encoder.output_shape[1:], (100,), 1, name="discriminator")
        return DANN(
            encoder,
            classifier,
            discriminator,
            adaptation_weight=self.adaptation_weight,
            reversal_strength=0.0,
            batch_norm=self.normalization,
            restrained=self.is_restrained(encoder),
            label_shift=self.label_shift,
        )

    def schedules(self) -> dict:
        from keras_dtl.callbacks import reversal_ramp

        ramp = reversal_ramp(final=self.final_reversal_strength)
        return {**super().schedules(), "reversal_strength": ramp}

    def select_weights(self, model, data) -> dict | None:
        selection = super().select_weights(model, data)
        if self.refit_head:
            from keras_dtl.methods import refit_head

            refit_head(model, data.source_train.images, data.source_train.labels)
        return selection
