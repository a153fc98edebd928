"""Minimax entropy, with a few target labels (Saito et al. 2019).

keras-dtl train mme --source digits --target digits_m --shots 3
"""

from dataclasses import dataclass
from typing import ClassVar

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe


@dataclass(frozen=True)
class MMERecipe(DomainAdaptationRecipe):
    """Prototypes that a few target labels and unlabelled images move (Saito et al. 2019)."""

    name: ClassVar[str] = "mme"
    suits: ClassVar[str] = "for a few labels of each class in the target, and many images without"

    shots: int = 3
    """Target images of each class whose labels are learnt, drawn by the seed."""
    adaptation_weight: float = 0.1
    """Weight of the entropy."""
    temperature: float = 0.05
    """Of the cosine classifier; the smaller, the sharper its answers."""

    def method(self, encoder, classifier):
        from keras_dtl.methods import MME

        return MME(encoder, classifier, self.adaptation_weight, self.normalization)

    def head(self, features: tuple, classes: int):
        import keras

        from keras_dtl.layers import CosineLogits

        x = keras.Input(features, name="features")
        hidden = keras.layers.Dense(100, activation="relu", name="hidden_1")(x)
        logits = CosineLogits(classes, self.temperature, name="logits")(hidden)
        return keras.Model(x, logits, name="classifier")
