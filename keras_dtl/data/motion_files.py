"""Which motion files can be learnt from, all as one skeleton, and why others cannot."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_dtl.data.motion_labels import WAY_OUT
from keras_dtl.motion import (
    Body,
    BvhError,
    Skeleton,
    body_of,
    features_of,
    has_toes_behind,
    read_bvh,
    resample,
)

CUT = "which is cut (--lead-in-frames 0 keeps it)"
"""What becomes of a pose at the begin of a clip."""


class ClipFile(NamedTuple):
    """A BVH file that can be learnt from."""

    path: Path
    names: tuple[str, ...]
    """Of the joints in the file that the skeleton has."""
    skeleton: Skeleton
    up: str
    """The axis of the file that is up, see `Body`."""
    rate: float
    """Frames a second of the file."""
    frames: int
    """Of the file."""
    lead_in: int
    """How many of them are a pose at the begin."""
    is_mirrored: bool
    """See `keras_dtl.motion.has_toes_behind`."""
    positions: np.ndarray
    """World positions `(frames, joints, 3)` without the lead-in, at the rate that was asked for."""

    def positions_at_size_of(self, skeleton: Skeleton) -> np.ndarray:
        """Return the positions of a body whose leg is as long as that of a skeleton.

        Args:
            skeleton: The `Skeleton` whose leg gives the scale.
        """
        return self.positions * (skeleton.leg / self.skeleton.leg)


def read_clips(
    paths: Iterable[Path], rate: float | None, lead_in: int | None = None
) -> tuple[list[ClipFile], dict[Path, str]]:
    """Return the files that can be learnt from, and why others cannot.

    All have the joints of the first.

    Args:
        paths: The files.
        rate: Frames a second to resample to, or None for their own.
        lead_in: As for `keras_dtl.data.motion.load_motion`.
    """
    clips, failed = [], {}
    for path in paths:
        try:
            expected = clips[0].skeleton if clips else None
            clips.append(_clip_in(path, body_of(read_bvh(path), expected, lead_in), rate))
        except (BvhError, OSError) as error:
            failed[path] = str(error).removeprefix(f"{path.name}: ")
    return clips, failed


def _clip_in(path: Path, body: Body, rate: float | None) -> ClipFile:
    own = body.bvh.frames_per_second
    positions = body.positions[body.lead_in :]
    if rate is not None:
        positions = resample(positions, own, rate)
    features_of(positions, body.skeleton)
    names = tuple(body.bvh.names[joint] for joint in body.joints)
    is_mirrored = has_toes_behind(positions, body.skeleton)
    about = (body.up, own, len(body.positions), body.lead_in, is_mirrored)
    return ClipFile(path, names, body.skeleton, *about, positions)


def none_usable(folder: Path, failed: dict[Path, str]) -> str:
    """Say why no file of a folder can be used, for each reason once, and what to do.

    Args:
        folder: The folder.
        failed: The reason by file.
    """
    reasons = {reason: path for path, reason in sorted(failed.items(), reverse=True)}
    shown = [f"{path.name}: {reason}" for reason, path in sorted(reasons.items())[:3]]
    words = f"None of the {len(failed)} BVH files in {folder} could be used. {'; '.join(shown)}."
    return f"{words} {WAY_OUT}." if any("action" in reason for reason in reasons) else words
