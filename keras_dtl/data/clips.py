"""Motion clips with their labels, and splits by clip and by cell of action and style."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_dtl.motion import Skeleton


@dataclasses.dataclass(frozen=True)
class Clips:
    """Motion clips with labels.

    Args:
        positions: List of world positions `(frames, joints, 3)`, one a clip, y up, all at the size
            of the skeleton.
        actions, styles: Labels, int32 `(clips,)`.
        action_names, style_names: What the labels stand for.
        skeleton: The `Skeleton`.
        rate: Frames a second.
        names: Of the clips.
        factors: True factors `(clips, factors)` where they are known.
    """

    positions: list[np.ndarray]
    actions: np.ndarray
    styles: np.ndarray
    action_names: tuple[str, ...]
    style_names: tuple[str, ...]
    skeleton: Skeleton
    rate: float
    names: tuple[str, ...]
    factors: np.ndarray | None = None

    def __len__(self):
        return len(self.positions)

    def __repr__(self):
        return (
            f"<Clips: {len(self)} of {len(self.action_names)} actions in {len(self.style_names)} "
            f"styles, {len(self.skeleton.names)} joints, {self.rate:g} frames a second>"
        )

    @property
    def cells(self) -> np.ndarray:
        """Number of the (action, style) cell of each clip."""
        return self.actions * len(self.style_names) + self.styles

    def subset(self, indices: Sequence[int] | np.ndarray) -> "Clips":
        """Return some of the clips.

        Args:
            indices: Their positions, `(clips,)`, in the order wanted.
        """
        indices = np.asarray(indices, int)
        return dataclasses.replace(
            self,
            positions=[self.positions[i] for i in indices],
            actions=self.actions[indices],
            styles=self.styles[indices],
            names=tuple(self.names[i] for i in indices),
            factors=None if self.factors is None else self.factors[indices],
        )


class Split(NamedTuple):
    """Three sets of clips that share none: the last is of cells that training never sees."""

    train: Clips
    test: Clips
    held_out: Clips


def split_clips(
    clips: Clips,
    test_share: float = 0.25,
    held_out_cells: Sequence[tuple[str, str]] = (),
    seed: int = 0,
) -> Split:
    """Split by clip inside each cell, and keep whole cells apart.

    Of cells of one clip a share is tested on, and of none the last clip of an action or a style.

    Args:
        clips: `Clips`.
        test_share: Share of the clips of each cell that is tested on; at least one clip of two.
        held_out_cells: Pairs `(action name, style name)` that training never sees.
        seed: Choice of the clips.

    Returns:
        A `Split`.

    Raises:
        ValueError: A cell is not there, a style or an action would be unseen in training, or no
            clip is left to test on.
    """
    random = np.random.default_rng(seed)
    held = {_cell(clips, *pair) for pair in held_out_cells}
    train, test, alone = [], [], []
    for cell in np.unique(clips.cells):
        members = random.permutation(np.flatnonzero(clips.cells == cell))
        count = max(1, round(test_share * len(members)))
        if cell in held:
            continue
        if len(members) == 1:
            alone += list(members)
            continue
        test += list(members[:count])
        train += list(members[count:])
    spared = _spared(clips, train, random.permutation(alone), test_share) if alone else []
    test += spared
    train += [index for index in alone if index not in spared]
    apart = np.flatnonzero(np.isin(clips.cells, list(held)))
    for kind in ("actions", "styles"):
        if unseen := set(getattr(clips, kind)) - set(getattr(clips, kind)[train]):
            known = clips.action_names if kind == "actions" else clips.style_names
            names = ", ".join(known[index] for index in sorted(unseen))
            raise ValueError(
                f"No clip is left to learn the {kind} {names} from: {len(test)} of {len(clips)} "
                f"clips are for scoring, and {len(apart)} are of cells that are held out. Add "
                "clips, cut long ones in two files, or hold out none (--held-out 0)."
            )
    if not test:
        raise ValueError(
            f"No clip is left to score on: each of the {len(train)} is the only one of its action "
            "or of its style. Add clips, or cut long ones in two files."
        )
    return Split(clips.subset(sorted(train)), clips.subset(sorted(test)), clips.subset(apart))


def _spared(clips: Clips, train: list[int], alone: np.ndarray, share: float) -> list[int]:
    """Return a share of clips without which training still has their actions and their styles."""
    wanted = max(1, round(share * len(alone)))
    left, spared = [*train, *map(int, alone)], []
    for index in map(int, alone):
        others = [other for other in left if other != index]
        if len(spared) < wanted and all(
            (labels[others] == labels[index]).any() for labels in (clips.actions, clips.styles)
        ):
            left = others
            spared.append(index)
    return spared


def spread_cells(clips: Clips, count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Choose cells to hold out, no two of one action or of one style.

    Args:
        clips: `Clips`.
        count: How many.
        seed: Choice of the cells.

    Returns:
        Pairs `(action name, style name)`.

    Raises:
        ValueError: There are not so many.
    """
    cells = [divmod(int(cell), len(clips.style_names)) for cell in np.unique(clips.cells)]
    chosen = []
    for index in np.random.default_rng(seed).permutation(len(cells)):
        if all(cells[index][kind] != cell[kind] for cell in chosen for kind in (0, 1)):
            chosen.append(cells[index])
    if count > len(chosen):
        raise ValueError(
            f"{count} cells of action and style cannot be held out: {len(chosen)} share neither."
        )
    return [(clips.action_names[a], clips.style_names[s]) for a, s in chosen[:count]]


def _cell(clips: Clips, action: str, style: str) -> int:
    if action not in clips.action_names or style not in clips.style_names:
        raise ValueError(
            f"There is no cell ({action}, {style}); actions are {', '.join(clips.action_names)}, "
            f"styles {', '.join(clips.style_names)}."
        )
    row, column = clips.action_names.index(action), clips.style_names.index(style)
    return row * len(clips.style_names) + column
