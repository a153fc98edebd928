"""What the recipes of motion share: clips by name, splits, windows, schedule, report."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from keras_dtl.recipes.base import Recipe


class MotionData(NamedTuple):
    """Clips of training, of test and of cells that training never sees, and their `Windows`."""

    split: object
    train: object
    test: object
    held_out: object
    """`Windows`, or None where no cell is held out."""

    @property
    def clips(self):
        return self.split.train


@dataclass(frozen=True)
class MotionRecipe(Recipe):
    """Motion capture with actions and styles; the fields that all methods have."""

    onednn: ClassVar[bool] = False
    player: ClassVar[str] = "critic_optimizer"
    """How the method names the optimizer of its critic."""

    source: str = "walker"
    """Motion: walker, which is embedded; bvh:PATH, a folder of BVH files; or npz:PATH."""
    rate: float = 30.0
    """Frames a second to which motion is resampled."""
    lead_in_frames: int | None = None
    """Frames at the begin of each file that are a pose, such as a T-pose, and are left out; 0:
    none. Default: a pose that the clip jumps from."""
    window: int = 48
    """Frames of the pieces that are learnt from; shorter clips are left out."""
    stride: int = 12
    """Frames from the beginning of one piece to that of the next."""
    test_share: float = 0.25
    """Share of the clips of each cell of action and style that serves for scoring alone."""
    held_out: int = 1
    """Cells of action and style that are never trained on, for scoring alone."""
    batch_size: int = 32
    """Pieces of motion in a step."""
    min_steps: int = 100
    """Least number of steps in an epoch."""
    learning_rate: float = 1e-3
    """Initial rate of coders and decoder; it falls along a cosine to 0."""
    critic_learning_rate: float = 5e-4
    """That of the critic, likewise."""

    def data_lines(self) -> list[str]:
        from keras_dtl.data.inspection import describe
        from keras_dtl.data.motion_check import describe_motion
        from keras_dtl.data.names import divide_name
        from keras_dtl.files import readable_name

        kind, path = divide_name(self.source)
        if kind in ("bvh", "folder"):
            found = describe_motion(path, self.rate, self.lead_in_frames).for_training()
            return [f"{readable_name(path)}: motion", *found]
        return describe(self.source, "npz") if kind == "npz" else []

    def load_data(self):
        from keras_dtl.data.clips import split_clips, spread_cells
        from keras_dtl.data.motion import load_motion, windows_of

        clips = load_motion(self.source, self.rate, lead_in=self.lead_in_frames)
        cells = spread_cells(clips, self.held_out, self.seed)
        split = split_clips(clips, self.test_share, cells, self.seed)
        train, test = (windows_of(part, self.window, self.stride) for part in split[:2])
        require_all(split.train, train, self.window)
        held_out = windows_of(split.held_out, self.window, self.stride) if cells else None
        return MotionData(split, train, test, held_out)

    def statistics(self, data) -> dict:
        from keras_dtl.data import statistics_of

        mean, deviation = statistics_of(data.train.features)
        return {"mean": mean.tolist(), "deviation": deviation.tolist()}

    def compile_model(self, model):
        """Return a `Method` compiled with both players' optimizers."""
        import keras

        # beta_1 as adversaries want it.
        model.compile(
            keras.optimizers.Adam(self.learning_rate, beta_1=0.5),
            jit_compile=self.jit_compile,
            **{self.player: keras.optimizers.Adam(self.critic_learning_rate, beta_1=0.5)},
        )
        return model

    def arrays(self, data):
        """Return the arrays whose rows make a batch."""
        raise NotImplementedError

    def batches(self, data, first_step: int):
        from keras_dtl.data import endless_arrays

        return endless_arrays(self.arrays(data), self.batch_size, self.seed, first_step)

    def steps_per_epoch(self, data) -> int:
        return max(self.min_steps, len(data.train.features) // self.batch_size)

    def callbacks(self, data) -> list:
        from keras_dtl.callbacks import ProgressSchedule, cosine_decay

        rates = {"optimizer": self.learning_rate, self.player: self.critic_learning_rate}
        schedules = {f"{name}.learning_rate": cosine_decay(rate) for name, rate in rates.items()}
        return [ProgressSchedule(schedules)]

    def motion_scores(self, data):
        """Return what scores motion by real motion, fitted on this data."""
        from keras_dtl.evaluation import MotionScores

        parts = (data.train, data.test, data.clips.skeleton, data.clips.rate, data.held_out)
        return MotionScores(*parts, style_names=data.clips.style_names)

    def report(self, model, data, history: dict, scores: dict):
        words = (
            f"{self.length}, seed {self.seed}; {len(data.clips)} clips learnt, "
            f"{len(data.split.test)} scored, {len(data.split.held_out)} of cells never seen."
        )
        return self.illustrated_report(words, model, data, history, scores)

    def settings_with(self, data) -> dict:
        names = {"actions": data.clips.action_names, "styles": data.clips.style_names}
        held_out = sorted({*zip(*self._held_out_names(data), strict=True)})
        return {
            **super().settings_with(data),
            **{kind: list(values) for kind, values in names.items()},
            "held_out_cells": [list(cell) for cell in held_out],
            "skeleton": data.clips.skeleton.to_json(),
        }

    def _held_out_names(self, data):
        held_out = data.split.held_out
        return (
            [held_out.action_names[action] for action in held_out.actions],
            [held_out.style_names[style] for style in held_out.styles],
        )


def require_all(clips, windows, frames: int) -> None:
    """Refuse actions and styles of which no clip is long enough to be learnt from.

    Args:
        clips, windows: The `Clips` for training, and the `Windows` of them.
        frames: Of a window.

    Raises:
        ValueError: Naming the action or the style.
    """
    for kind in ("action", "style"):
        known, names = set(getattr(windows, f"{kind}s")), getattr(clips, f"{kind}_names")
        if lost := [names[i] for i in sorted(set(getattr(clips, f"{kind}s")) - known)]:
            raise ValueError(
                f"No clip of the {kind} {', '.join(lost)} for training has --window {frames} "
                "frames. Take shorter windows, or leave these clips out."
            )


def require_several(labels, names: tuple[str, ...], kind: str, purpose: str) -> None:
    """Refuse clips for scoring that are all of one label.

    Args:
        labels: Of the windows for scoring.
        names: What the labels stand for.
        kind: What they are, such as `"actions"`.
        purpose: What a recipe does with two of them, for the message.

    Raises:
        ValueError: There is but one.
    """
    if len(set(labels)) < 2:
        raise ValueError(
            f"{purpose}, and needs clips of two {kind} or more. Received: {', '.join(names)}. "
            "motion-aae --condition none draws motion of one."
        )
