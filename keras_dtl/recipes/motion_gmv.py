"""Pairs of motions of one action in two styles, drawn from noise (after Chen et al. 2018).

keras-dtl train motion-gmv
keras-dtl train motion-gmv --source npz:clips.npz --filters 96

No style is named in training. The first line trains on the embedded walker in about three minutes
on one core, which is too short: most contents still become the same action. What ten minutes reach
on real clips shows `python scripts/benchmarks/motion.py --source npz:clips.npz --rows pairs`.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from keras_dtl.recipes.motion import MotionRecipe, require_several


class _ByAction(NamedTuple):
    """Windows in the form in which `view_batches` takes labelled images."""

    images: np.ndarray
    labels: np.ndarray
    classes: tuple


@dataclass(frozen=True)
class MotionGMVRecipe(MotionRecipe):
    """New motions, each content in several styles, from pairs alone (after Chen et al. 2018)."""

    name: ClassVar[str] = "motion-gmv"
    suits: ClassVar[str] = "for new clips drawn in pairs, one action in two styles"
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
    real_penalty_weight: float = 10.0
    """Weight of the penalty on the discriminator's slope at real pairs."""
    modes: int = 16
    """Gaussians in the distribution of contents, some more than actions; 0: one."""
    agreement_weight: float = 1.0
    """Weight of two motions' showing one action, as classifiers see it that learn from real pairs;
    0: without them. More: fewer pairs of two actions, motions less like real ones."""
    coverage_weight: float = 0.5
    """Weight of drawing actions that were rare of late, as classifiers see it."""
    classifiers: int = 4
    """How many classifiers: what one alone takes for an action, the others do not."""
    label_smoothing: float = 0.05
    """Share of each label that is spread over all actions as classifiers learn."""
    style_weight: float = 1.0
    """Weight of how much less two motions differ than real ones, beside the classifiers."""

    def load_data(self):
        data, purpose = super().load_data(), "motion-gmv draws pairs of one action"
        require_several(data.test.actions, data.clips.action_names, "actions", purpose)
        return data

    def build_model(self, data):
        from keras_dtl import backbones
        from keras_dtl.methods import SequenceGMV

        features = data.train.features.shape[-1]
        codes = {"content": self.content, "style": self.style}
        model = SequenceGMV(
            backbones.motion_generator(
                features, self.window, self.filters, **codes, modes=self.modes
            ),
            backbones.motion_pair_discriminator(features, self.filters),
            **self.statistics(data),
            classifier=self.classifier(features, len(data.clips.action_names)),
            agreement_weight=self.agreement_weight,
            coverage_weight=self.coverage_weight,
            view_weight=self.style_weight,
            label_smoothing=self.label_smoothing,
            adversarial=self.adversarial,
            real_penalty_weight=self.real_penalty_weight,
        )
        return self.compile_model(model)

    def classifier(self, features: int, actions: int):
        from keras_dtl.backbones import motion_classifiers
        from keras_dtl.recipes.gmv import require_classifiers

        if not self.agreement_weight:
            return None
        require_classifiers(self.classifiers)
        return motion_classifiers(features, actions, self.filters // 2, self.classifiers)

    def batches(self, data, first_step: int):
        from keras_dtl.data import view_batches

        paired = _ByAction(data.train.features, data.train.actions, data.clips.action_names)
        return view_batches(paired, self.batch_size, self.seed, first_step, other=None)

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation import pair_scores

        numbers = (model.content_numbers, model.view_numbers)
        return pair_scores(self.motion_scores(data), model, numbers, data.test, self.seed)

    def headline(self, scores: dict) -> dict:
        return {
            "action agrees": scores["agreement"],
            "action agrees, of real pairs": scores["ceiling"],
            "style differs": scores["style_differs"],
            "style differs, of real pairs": scores["style_differs_real"],
        }

    def add_pictures(self, report, model, data) -> None:
        from keras_dtl.recipes.motion_pictures import add_pairs

        add_pairs(report, model, data, self.seed)
