"""Style of motion capture: the content of one clip in the style of another (Wang et al. 2018).

keras-dtl train motion-style
keras-dtl train motion-style --source npz:clips.npz --held-out 5 --epochs 60

The first line learns the embedded walker in about two minutes on two cores. Figures on real clips
are those of scripts/benchmarks/motion.py.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.motion import MotionRecipe, require_several


@dataclass(frozen=True)
class MotionStyleRecipe(MotionRecipe):
    """The content of one motion in the style of another (Wang et al. 2018; Aberman et al. 2020)."""

    name: ClassVar[str] = "motion-style"
    suits: ClassVar[str] = "for a clip in the style of another"

    epochs: int = 15
    """Passes over the pieces of motion."""
    kind: Literal["convolutional", "recurrent"] = "convolutional"
    """Networks: convolutions with adaptive instance normalisation, or as in the paper."""
    filters: int = 48
    """Channels of the networks."""
    content: int = 24
    """Numbers in the content code of four frames."""
    style: int = 16
    """Numbers in the style code."""
    adversarial: Literal["hinge", "least_squares", "vanilla"] = "hinge"
    """The game against the critic."""
    adversarial_weight: float = 1.0
    """Weight of that game."""
    real_penalty_weight: float = 1.0
    """Weight of the penalty on the critic's slope at real motion."""
    label_weight: float = 1.0
    """Weight of what the critic names: the wanted style, the kept action."""
    reconstruction_weight: float = 5.0
    """Weight of a clip as itself."""
    velocity_weight: float = 5.0
    """Weight, within that, of the steps from frame to frame."""
    cycle_weight: float = 2.0
    """Weight of the way back to the own style."""
    entropy_weight: float = 1.0
    """Weight of what keeps the style out of the content code."""

    def load_data(self):
        data, purpose = super().load_data(), "motion-style gives a clip the style of another"
        require_several(data.test.styles, data.clips.style_names, "styles", purpose)
        return data

    def build_model(self, data):
        from keras_dtl import backbones
        from keras_dtl.methods import SequenceStyleTransfer

        features = data.train.features.shape[-1]
        styles, actions = len(data.clips.style_names), len(data.clips.action_names)
        sizes = {"filters": self.filters, "kind": self.kind}
        codes = {"content": self.content, "style": self.style}
        model = SequenceStyleTransfer(
            backbones.content_encoder(features, content=self.content, **sizes),
            backbones.style_encoder(features, style=self.style, **sizes),
            backbones.motion_decoder(features, **codes, **sizes),
            backbones.motion_critic(features, styles, actions, self.filters),
            backbones.code_classifier(self.content, styles),
            backbones.mlp((self.style,), (64,), styles),
            **self.statistics(data),
            **{name: getattr(self, name) for name in _GAME},
            legs=data.clips.skeleton.legs.tolist(),
        )
        return self.compile_model(model)

    def arrays(self, data):
        return data.train.features, data.train.styles, data.train.actions

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation import transfer_scores

        motion = self.motion_scores(data)
        scores = transfer_scores(motion, model, data.test, data.held_out, self.seed)
        if data.clips.factors is not None:
            from keras_dtl.recipes.walker_factors import transferred_factors

            scores["factors"] = transferred_factors(model, data.split.test, self.seed)
        return scores

    def headline(self, scores: dict) -> dict:
        transfers = scores["transfers"]
        shares = {
            f"{kind} of ceiling": transfers[f"{kind}_of_ceiling"]
            for kind in ("style", "action")
            if f"{kind}_of_ceiling" in transfers  # of several
        }
        return {**shares, "speed, of real": transfers["velocity"]["mean_ratio"]}

    def add_pictures(self, report, model, data) -> None:
        from keras_dtl.recipes.motion_pictures import add_transfers

        add_transfers(report, model, data, self.seed)


_GAME = (
    "adversarial",
    "adversarial_weight",
    "real_penalty_weight",
    "label_weight",
    "reconstruction_weight",
    "velocity_weight",
    "cycle_weight",
    "entropy_weight",
)
