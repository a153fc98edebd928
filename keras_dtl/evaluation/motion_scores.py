"""Transferred and drawn motion against real motion, all in one place."""

from collections.abc import Callable, Sequence

import numpy as np

from keras_dtl.evaluation.motion import (
    MotionJudge,
    motion_frechet_distance,
    nearest_distances,
    pairwise_distance,
    physics,
    speeds,
)
from keras_dtl.evaluation.prediction import predict
from keras_dtl.motion import Skeleton

BATCH = 128
"""Windows that a model is given at once."""
_KINDS = ("style", "action")


class MotionScores:
    """Scores windows of motion by what is fitted on real ones once, and stays as it is.

    The judges learn training windows and, so that they know cells that the method never saw, the
    even ones of the held-out cells; ceilings are measured on test windows and the odd ones.

    Args:
        train, test: Objects with `features` `(windows, frames, features)`, `actions` and `styles`,
            such as `keras_dtl.data.motion.Windows`.
        skeleton: The `Skeleton`.
        rate: Frames a second.
        held_out: Windows of the cells that were not trained on, or None; of one clip they are left
            out.
        style_names: What styles are called in the scores.
    """

    def __init__(
        self,
        train,
        test,
        skeleton: Skeleton,
        rate: float,
        held_out=None,
        style_names: Sequence[str] | None = None,
    ):
        self.train, self.test = train, test
        self.skeleton, self.rate = skeleton, rate
        self.style_names = style_names
        if held_out is not None and len(np.unique(held_out.clips)) < 2:
            held_out = None  # one clip cannot both teach the judges and be compared with
        self.unseen = None if held_out is None else _every_second(held_out, 1)
        known = [train] if held_out is None else [train, _every_second(held_out, 0)]
        features = np.concatenate([part.features for part in known])
        self.judges = {
            kind: MotionJudge(features, np.concatenate([labels_of(part, kind) for part in known]))
            for kind in _KINDS
        }
        real = [*known, test] if self.unseen is None else [*known, test, self.unseen]
        self.speed_of_cells = _speeds_by_cell(real, skeleton, rate)
        self.speeds = {}  # mean and mean square by cell that was asked for

    def score_transfers(self, model: Callable, content, style, chosen: np.ndarray, real) -> dict:
        """Score contents in the styles of other windows.

        Args:
            model: Function, or Keras model, from `(content, style)` features to features, each
                `(windows, frames, features)`.
            content, style: Windows.
            chosen: Index of the style window for each content.
            real: Real windows to compare with.

        Returns:
            What `score` returns, and `..._unchanged`: how often contents as they are would pass.
        """
        pairs = (content.features, style.features[chosen])
        made = np.asarray(predict(model, pairs, BATCH), "float32")
        scores = self.score(made, content.actions, style.styles[chosen], real)
        for kind, wanted in (("style", style.styles[chosen]), ("action", content.actions)):
            if f"{kind}_accuracy" not in scores:
                continue
            scores[f"{kind}_unchanged"] = self.judges[kind].accuracy(content.features, wanted)
        return scores

    def score(
        self, made: np.ndarray, actions: np.ndarray | None, styles: np.ndarray | None, real
    ) -> dict:
        """Return accuracies beside their ceilings on real windows, distances and physics.

        Args:
            made: Features `(windows, frames, features)`.
            actions, styles: What each should be, integers `(windows,)`; `None` where one is open.
                What is of one class has no accuracy, and none is a share of a ceiling that
                guessing reaches.
            real: Real windows to compare with.
        """
        scores = {"number": len(made)}
        for kind, wanted in (("style", styles), ("action", actions)):
            judge = self.judges[kind]
            if wanted is None or judge.num_classes == 1:
                continue
            ceiling = judge.accuracy(real.features, labels_of(real, kind))
            scores[f"{kind}_accuracy"] = judge.accuracy(made, wanted)
            scores[f"{kind}_ceiling"] = ceiling
            if ceiling > 1 / judge.num_classes:  # else the judge knows none of these windows
                scores[f"{kind}_of_ceiling"] = scores[f"{kind}_accuracy"] / ceiling
        return {**scores, **self.compare(made, actions, styles, real)}

    def compare(
        self, made: np.ndarray, actions: np.ndarray | None, styles: np.ndarray | None, real
    ) -> dict:
        """Return distances from real windows, and physics beside theirs.

        Args:
            made, actions, styles, real: As for `score`.

        Returns:
            Distances in units of the features, ratios to real motion (1: alike), and under
            `physics` what the function of that name returns of both.
        """
        of_made = physics(made, self.skeleton, self.rate)
        of_real = physics(real.features, self.skeleton, self.rate)
        train = self.train.features
        return {
            "frechet_distance": motion_frechet_distance(train, made),
            "frechet_distance_real": motion_frechet_distance(train, real.features),
            "nearest_distance": float(nearest_distances(made, train).mean()),
            "nearest_distance_real": float(nearest_distances(real.features, train).mean()),
            "diversity_ratio": pairwise_distance(made) / pairwise_distance(real.features),
            "velocity": self.velocity(made, actions, styles),
            "jerk_ratio": of_made["jerk"] / of_real["jerk"],
            "foot_skate_ratio": of_made["foot_skate"] / max(of_real["foot_skate"], 1e-9),
            "physics": {"made": of_made, "real": of_real},
        }

    def velocity(
        self, made: np.ndarray, actions: np.ndarray | None, styles: np.ndarray | None
    ) -> dict:
        """Return mean and deviation of the speed as shares of those of real clips of the cells.

        Args:
            made, actions, styles: As for `score`.

        Returns:
            `mean_ratio`, `deviation_ratio` and, where styles are given, `by_style`, the ratio of
            means for each: 1 as fast as real motion.
        """
        expected = np.array(
            [self._expected_speed(actions, styles, row) for row in range(len(made))]
        )
        found = speeds(made, self.skeleton, self.rate)
        mean, square = expected.mean(0)
        ratios = {
            "mean_ratio": float(found.mean() / mean),
            # Of all frames together; each cell counts as often as it was asked for.
            "deviation_ratio": float(found.std() / np.sqrt(square - mean**2)),
        }
        if styles is not None:
            ratios["by_style"] = {
                self._style_name(style): float(
                    found[styles == style].mean() / expected[styles == style, 0].mean()
                )
                for style in np.unique(styles)
            }
        return ratios

    def _style_name(self, style):
        return self.style_names[style] if self.style_names else str(style)

    def _expected_speed(self, actions, styles, row):
        """Return mean and mean square of the real speeds of a cell, or of all where none is."""
        wanted = tuple(None if labels is None else int(labels[row]) for labels in (actions, styles))
        if wanted not in self.speeds:
            parts = [
                part
                for cell, part in self.speed_of_cells.items()
                if all(label in (None, own) for label, own in zip(wanted, cell, strict=True))
            ]
            every = np.concatenate(parts or list(self.speed_of_cells.values()))
            self.speeds[wanted] = every.mean(), (every**2).mean()
        return self.speeds[wanted]


def labels_of(windows, kind: str) -> np.ndarray:
    """Return the labels of windows, integers `(windows,)`.

    Args:
        windows: As for `MotionScores`.
        kind: `"style"` or `"action"`.
    """
    return windows.styles if kind == "style" else windows.actions


def other_styles(
    styles: np.ndarray, offered: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Return for each style the index of one of those offered that is another.

    Args:
        styles, offered: Integers `(windows,)` and `(offered,)`.
        random: The choice.

    Raises:
        ValueError: There is none.
    """
    if any(not (offered != style).any() for style in np.unique(styles)):
        raise ValueError("Style can be transferred between two styles or more. Received: one.")
    return np.array([random.choice(np.flatnonzero(offered != style)) for style in styles])


def _every_second(windows, first):
    """Return every second clip's windows, so that no clip is in both halves."""
    clips = np.unique(windows.clips)[first::2]
    return choose(windows, np.isin(windows.clips, clips))


def choose(windows, which: np.ndarray):
    """Return some of the windows.

    Args:
        windows: A named tuple of arrays `(windows, ...)`.
        which: Indices, or a mask.
    """
    return type(windows)(*(field[which] for field in windows))


def _speeds_by_cell(parts, skeleton, rate):
    """Return the speeds of the windows of each `(action, style)`."""
    found = {}
    for part in parts:
        values = speeds(part.features, skeleton, rate)
        for cell in {*zip(part.actions.tolist(), part.styles.tolist(), strict=True)}:
            rows = (part.actions == cell[0]) & (part.styles == cell[1])
            found.setdefault(cell, []).append(values[rows])
    return {cell: np.concatenate(values) for cell, values in found.items()}
