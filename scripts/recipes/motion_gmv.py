"""Pairs of motions of one action in two styles, drawn from noise (after Chen et al. 2018).

keras-dtl train motion-gmv
keras-dtl train motion-gmv --source npz:clips.npz --filters 96

No style is named in training. The first line trains on the embedded walker in about two minutes on
two cores, which is too short: most contents still become the same action. What ten minutes reach on
real clips shows `python scripts/benchmarks/motion.py --source npz:clips.npz --rows pairs`.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from keras_dtl.scripts.recipes.motion import MotionRecipe


class _ByAction(NamedTuple):
    """Windows in the form in which `view_batches` takes labelled images."""

    images: np.ndarray
    labels: np.ndarray
    classes: tuple


@dataclass(frozen=True)
class MotionGMVRecipe(MotionRecipe):
    """New motions, each content in several styles, from pairs alone (after Chen et al. 2018)."""

    name: ClassVar[str] = "motion-gmv"
    player: ClassVar[str] = "discriminator_optimizer"

    epochs: int = 20
    """Passes over the pieces of motion."""
    filters: int = 48
    """Channels of the networks."""
    content: int = 32
    """Numbers in the content code."""
    style: int = 16
    """Numbers in the style code."""
    adversarial: Literal["hinge", "least_squares", "vanilla"] = "hinge"
    """The game against the discriminator of pairs."""
    real_penalty_weight: float = 1.0
    """Weight of the penalty on the discriminator's slope at real pairs."""

    def build_model(self, data):
        from keras_dtl import backbones
        from keras_dtl.methods import SequenceGMV

        features = data.train.features.shape[-1]
        codes = {"content": self.content, "style": self.style}
        model = SequenceGMV(
            backbones.motion_generator(features, self.window, self.filters, **codes),
            backbones.motion_pair_discriminator(features, self.filters),
            **self.statistics(data),
            adversarial=self.adversarial,
            real_penalty_weight=self.real_penalty_weight,
        )
        return self.compiled(model)

    def batches(self, data, first_step):
        from keras_dtl.data import view_batches

        paired = _ByAction(data.train.features, data.train.actions, data.clips.action_names)
        return view_batches(paired, self.batch_size, self.seed, first_step, other=None)

    def score(self, model, data):
        from keras_dtl.scripts.recipes.motion_measures import pair_scores

        return pair_scores(model, data, self.seed)

    def headline(self, scores):
        return {
            "action agrees": scores["agreement"],
            "ceiling": scores["ceiling"],
            "style differs": scores["style_differs"],
            "of real pairs": scores["style_differs_real"],
        }

    def add_pictures(self, report, model, data):
        from keras_dtl.scripts.recipes.motion_pictures import add_pairs

        add_pairs(report, model, data, self.seed)
