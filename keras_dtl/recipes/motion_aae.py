"""New motion from draws of a normal distribution (Wang & Artieres 2017).

keras-dtl train motion-aae
keras-dtl train motion-aae --source npz:clips.npz --condition action

The first line learns the embedded walker in about two minutes on two cores.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.motion import MotionRecipe


@dataclass(frozen=True)
class MotionAAERecipe(MotionRecipe):
    """New motion, drawn from a sequential adversarial autoencoder (Wang & Artieres 2017)."""

    name: ClassVar[str] = "motion-aae"

    epochs: int = 12
    """Passes over the pieces of motion."""
    condition: Literal["none", "action", "style"] = "action"
    """The label that the decoder is told, so that one can ask for it."""
    units: int = 64
    """Of each recurrent layer."""
    code: int = 16
    """Numbers in the code of a piece of motion."""
    velocity_weight: float = 10.0
    """Weight of the steps from frame to frame."""
    adversarial_weight: float = 0.1
    """Weight of the game that makes codes normal."""

    def build_model(self, data):
        from keras_dtl import backbones
        from keras_dtl.methods import SequentialAdversarialAutoencoder

        features, classes = data.train.features.shape[-1], len(self.classes(data))
        model = SequentialAdversarialAutoencoder(
            backbones.recurrent_encoder(features, self.units, self.code),
            backbones.recurrent_decoder(features, self.units, self.code + classes),
            backbones.mlp((self.code + classes,), (256, 256), 1),
            **self.statistics(data),
            num_classes=classes,
            velocity_weight=self.velocity_weight,
            adversarial_weight=self.adversarial_weight,
        )
        return self.compiled(model)

    def classes(self, data):
        """Return the names of the labels that the decoder is told."""
        names = {"action": data.clips.action_names, "style": data.clips.style_names}
        return names.get(self.condition, ())

    def labels(self, windows):
        return {"action": windows.actions, "style": windows.styles}.get(self.condition)

    def arrays(self, data):
        labels = self.labels(data.train)
        return data.train.features if labels is None else (data.train.features, labels)

    def score(self, model, data):
        from keras_dtl.recipes.motion_measures import synthesis_scores

        return synthesis_scores(model, data, self.labels, self.seed)

    def headline(self, scores):
        samples = scores["samples"]
        shown = {"speed, of real": samples["velocity"]["mean_ratio"]}
        if self.condition != "none":
            shown[f"{self.condition} of ceiling"] = samples[f"{self.condition}_of_ceiling"]
        return {**shown, "jerk, of real": samples["jerk_ratio"]}

    def add_pictures(self, report, model, data):
        from keras_dtl.recipes.motion_pictures import add_samples

        add_samples(report, model, data, self.labels, self.classes(data), self.seed)
