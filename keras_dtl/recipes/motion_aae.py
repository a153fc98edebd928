"""New motion from draws of a normal distribution (Wang & Artieres 2017).

keras-dtl train motion-aae
keras-dtl train motion-aae --source npz:clips.npz --condition action

The first line learns the embedded walker in about half a minute on two cores.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from keras_dtl.recipes.motion import MotionRecipe


@dataclass(frozen=True)
class MotionAAERecipe(MotionRecipe):
    """New motion, drawn from a sequential adversarial autoencoder (Wang & Artieres 2017)."""

    name: ClassVar[str] = "motion-aae"
    suits: ClassVar[str] = "for new clips, of a wanted action or style, drawn from noise"

    epochs: int = 12
    """Passes over the pieces of motion."""
    condition: Literal["none", "action", "style"] = "action"
    """The label that the decoder is told, so that one can ask for it."""
    kind: Literal["implicit", "recurrent"] = "implicit"
    """Networks: implicit, which make all frames of a piece at once, --window of them; or
    recurrent, as in the paper, which make motion of any length and are less exact."""
    units: int = 64
    """Of each layer."""
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
            *self.networks(features, self.code + classes),
            backbones.mlp((self.code + classes,), (256, 256), 1),
            **self.statistics(data),
            num_classes=classes,
            velocity_weight=self.velocity_weight,
            adversarial_weight=self.adversarial_weight,
        )
        return self.compile_model(model)

    def networks(self, features: int, told: int) -> tuple:
        """Return encoder and decoder; the decoder is told as many numbers in each frame."""
        from keras_dtl import backbones

        if self.kind == "recurrent":
            return (
                backbones.recurrent_encoder(features, self.units, self.code),
                backbones.recurrent_decoder(features, self.units, told),
            )
        return (
            backbones.implicit_encoder(features, self.window, self.units, self.code),
            backbones.implicit_decoder(features, self.window, self.units, told),
        )

    def classes(self, data) -> tuple:
        """Return the names of the labels that the decoder is told."""
        names = {"action": data.clips.action_names, "style": data.clips.style_names}
        return names.get(self.condition, ())

    def labels(self, windows) -> np.ndarray | None:
        return {"action": windows.actions, "style": windows.styles}.get(self.condition)

    def arrays(self, data):
        labels = self.labels(data.train)
        return data.train.features if labels is None else (data.train.features, labels)

    def select_weights(self, model, data) -> None:
        """Choose nothing; fit the distribution of codes that new motion is drawn from."""
        codes = codes_of(model, data.train.features)
        model.prior.adapt(codes, self.labels(data.train))

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation import predict, rebuilding_scores
        from keras_dtl.evaluation.motion_scores import BATCH

        test, told = data.test, self.labels(data.test)
        model.random.state.assign(np.array([self.seed, 0], "uint32"))
        made = np.asarray(model.sample(len(test.features), test.features.shape[1], told))
        actions = told if self.condition == "action" else None
        styles = told if self.condition == "style" else None
        scores = {"samples": self.motion_scores(data).score(made, actions, styles, test)}
        inputs = test.features if told is None else (test.features, told)
        rebuilt, codes = predict(model, inputs, BATCH), codes_of(model, test.features)
        scores |= rebuilding_scores(test.features, rebuilt, codes)
        if data.clips.factors is not None:
            scores["factors"] = self.factors(model, data)
        return scores

    def factors(self, model, data) -> dict:
        """Return how well the walker's factors are found in codes and labels."""
        from keras_dtl.recipes.walker_factors import coded_factors

        parts = (data.train, data.split.train), (data.test, data.split.test)
        known = []
        for windows, clips in parts:
            codes, told = codes_of(model, windows.features), self.labels(windows)
            if told is not None:
                codes = np.concatenate([codes, np.eye(model.num_classes)[told]], 1)
            known.append((codes, clips.factors[windows.clips]))
        return coded_factors(*known)

    def headline(self, scores: dict) -> dict:
        samples = scores["samples"]
        shown = {"speed, of real": samples["velocity"]["mean_ratio"]}
        if f"{self.condition}_of_ceiling" in samples:
            shown[f"{self.condition} of ceiling"] = samples[f"{self.condition}_of_ceiling"]
        return {**shown, "jerk, of real": samples["jerk_ratio"]}

    def add_pictures(self, report, model, data) -> None:
        from keras_dtl.recipes.motion_pictures import add_samples

        # What is recurrent shows that it goes on for longer than what it learnt.
        length = self.window if self.kind == "implicit" else 2 * self.window
        add_samples(report, model, data, self.labels, self.classes(data), length, self.seed)


def codes_of(model, features: np.ndarray) -> np.ndarray:
    """Return the codes of windows of motion, `(windows, numbers)`.

    Args:
        model: The `SequentialAdversarialAutoencoder`.
        features: `(windows, frames, features)`, as the data holds them.
    """
    from keras_dtl.evaluation import predict
    from keras_dtl.evaluation.motion_scores import BATCH

    return predict(model.encoder, model.normalize(features), BATCH)
