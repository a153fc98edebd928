"""Motion clips by name, from files or embedded, and their windows."""

import itertools
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_dtl.data.clips import Clips
from keras_dtl.data.motion_files import CUT, none_usable, read_clips
from keras_dtl.data.motion_labels import motion_files, motion_labels, other_files
from keras_dtl.data.names import divide_name
from keras_dtl.data.npz import open_archive, read_array
from keras_dtl.data.summary import IN_LINES
from keras_dtl.data.walker import GAITS, MOODS, RATE, walker_skeleton, walks
from keras_dtl.files import FilePath
from keras_dtl.motion import MIRRORED, Skeleton, features_of, mirror_motion, resample

logger = logging.getLogger("keras_dtl")


class Windows(NamedTuple):
    """Pieces of equal length of clips."""

    features: np.ndarray
    """float32 `(windows, frames, features)`."""
    actions: np.ndarray
    styles: np.ndarray
    clips: np.ndarray
    """Which clip each is from."""


def load_motion(
    name: str,
    rate: float = 30.0,
    clips_per_cell: int = 12,
    seed: int = 0,
    lead_in: int | None = None,
) -> Clips:
    """Load motion clips by name.

    Args:
        name: `"walker"`, embedded; `"bvh:PATH"` (or `"folder:PATH"`), a folder of BVH files,
            see `load_bvh_folder`; or `"npz:PATH"`, see `load_archive`.
        rate: Frames a second to resample to; the walker has 30.
        clips_per_cell: Of the walker, in each gait and mood.
        seed: Of the walker.
        lead_in: Of files: frames at the begin of each that are a pose, and left out; by default
            those that a clip jumps from.

    Returns:
        `Clips`.

    Raises:
        ValueError: The name stands for nothing, or no file could be read.
    """
    if name == "walker":
        if abs(rate / RATE - 1) > 1e-3:
            raise ValueError(
                f"The embedded walker has {RATE:g} frames a second. Received: a rate of {rate:g}. "
                "Leave it out (--rate), or name motion of your own."
            )
        return _walker(clips_per_cell, seed)
    kind, place = divide_name(name)
    if kind in ("bvh", "folder"):
        return load_bvh_folder(place, rate, lead_in)
    if kind == "npz":
        return load_archive(place, rate)
    raise ValueError(f"Motion is named walker, bvh:PATH or npz:PATH. Received: {name!r}")


def _walker(clips_per_cell: int, seed: int) -> Clips:
    positions, gaits, moods, factors = walks(clips_per_cell, seed)
    names = tuple(f"walker_{index:03}" for index in range(len(positions)))
    kinds = (tuple(GAITS), tuple(MOODS))
    return Clips(positions, gaits, moods, *kinds, walker_skeleton(), RATE, names, factors)


def load_bvh_folder(folder: FilePath, rate: float = 30.0, lead_in: int | None = None) -> Clips:
    """Load a folder of BVH files; those that cannot be used are named in warnings and left out.

    Action and style of a clip are told as `motion_labels` says: by `clips.csv` in the folder, by
    sub-folders `ACTION/STYLE/`, or else by names. All clips must have the skeleton of the first,
    or one whose joints are certainly the same; they are brought to its size, leg by leg.

    Args:
        folder: The folder, whose sub-folders are read, too.
        rate: Frames a second to resample to.
        lead_in: As for `load_motion`.

    Raises:
        ValueError: None can be used, the table lacks a column, or names tell numbers alone.
    """
    folder = Path(folder)
    paths = motion_files(folder)
    labels = motion_labels(folder, paths)
    clips, failed = read_clips(labels.found, rate, lead_in)
    failed |= labels.missing
    turned = [clip.path.name for clip in clips if clip.up != "y"]
    _warn_of(turned, "have another axis than y up, and are turned")
    mirrored = [clip.path.name for clip in clips if clip.is_mirrored]
    _warn_of(mirrored, f"have a fault: {MIRRORED}", IN_LINES)
    cut = [f"{clip.path.name} ({clip.lead_in} frames)" for clip in clips if clip.lead_in]
    _warn_of(cut, f"begin with a pose, {CUT}", IN_LINES)
    others = [path.name for path in other_files(folder)]
    _warn_of(others, "are no BVH files and are left out", IN_LINES)
    for path in sorted(failed):
        logger.warning("left out: %s: %s", path.name, failed[path], extra=IN_LINES)
    if not clips:
        raise ValueError(none_usable(folder, failed))
    skeleton = clips[0].skeleton
    found = [
        (clip.positions_at_size_of(skeleton), *labels.found[clip.path], clip.path.stem)
        for clip in clips
    ]
    return _clips_of(found, skeleton, rate)


def _warn_of(names: list[str], words: str, extra: dict | None = None) -> None:
    if names:
        logger.warning("%d files %s: %s", len(names), words, ", ".join(names[:5]), extra=extra)


def _clips_of(found: list[tuple], skeleton: Skeleton, rate: float) -> Clips:
    positions, actions, styles, names = zip(*found, strict=True)
    action_names, actions = np.unique(actions, return_inverse=True)
    style_names, styles = np.unique(styles, return_inverse=True)
    return Clips(
        list(positions),
        actions.astype("int32"),
        styles.astype("int32"),
        tuple(map(str, action_names)),
        tuple(map(str, style_names)),
        skeleton,
        float(rate),
        names,
    )


ARCHIVED = (
    *("positions", "root", "offsets", "action", "style", "parents", "joint_names", "fps"),
    *("action_names", "style_names", "name"),
)
"""Arrays of an archive of clips."""


def is_motion_archive(path: FilePath) -> bool:
    """Return whether a file of arrays holds clips, and no images.

    Args:
        path: The `.npz` file.

    Raises:
        FileNotFoundError, ValueError: If it is no such file.
    """
    with open_archive(Path(path)) as archive:
        return {"positions", "parents", "joint_names"} <= set(archive.files)


def load_archive(path: FilePath, rate: float | None = 30.0) -> Clips:
    """Load clips from one NumPy archive.

    Its arrays are `positions` `(frames of all clips, joints, 3)` about the hips, y up, joint 0
    being the world's origin; `root` `(frames, 3)`, the hips in the world; `offsets`, where each
    clip begins, and the end; `action` and `style` of each clip, which count in `action_names` and
    `style_names`; `name` of each clip; `joint_names`; `parents` of the joints; and `fps`.

    Args:
        path: The `.npz` file.
        rate: Frames a second to resample to; None for its own.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or an array is missing.
    """
    path = Path(path)
    with open_archive(path) as archive:
        if missing := sorted(set(ARCHIVED) - set(archive.files)):
            raise ValueError(f"{path.name} lacks {', '.join(missing)}.")
        content = {name: read_array(archive, name, path.name) for name in ARCHIVED}
    own = float(content["fps"])
    rate = rate or own
    # Joint 0 of the archive is the world's origin.
    world = content["positions"][:, 1:].astype("float64") + content["root"][:, None]
    parents = tuple(int(parent) - 1 for parent in content["parents"][1:])
    bounds = content["offsets"]
    names = tuple(map(str, content["joint_names"][1:]))
    skeleton = _mean_skeleton(names, parents, world)
    clips = [_at_size_of(skeleton, world[a:b]) for a, b in itertools.pairwise(bounds)]
    return Clips(
        [resample(clip, own, rate) for clip in clips],
        content["action"].astype("int32"),
        content["style"].astype("int32"),
        tuple(map(str, content["action_names"])),
        tuple(map(str, content["style_names"])),
        skeleton,
        float(rate),
        tuple(map(str, content["name"])),
    )


def _mean_skeleton(names: tuple[str, ...], parents: tuple[int, ...], world: np.ndarray) -> Skeleton:
    bones = world[:, 1:] - world[:, list(parents[1:])]
    lengths = np.linalg.norm(bones, axis=-1).mean(0)
    first = bones[0] / np.linalg.norm(bones[0], axis=-1, keepdims=True) * lengths[:, None]
    return Skeleton(names, parents, ((0.0, 0.0, 0.0), *(tuple(map(float, bone)) for bone in first)))


def _at_size_of(skeleton: Skeleton, positions: np.ndarray) -> np.ndarray:
    """Return a clip whose body is as large as a skeleton."""
    bones = positions[:, 1:] - positions[:, list(skeleton.parents[1:])]
    lengths = np.linalg.norm(bones, axis=-1).mean(0)
    leg = sum(lengths[joint - 1] for joint in skeleton.leg_joints)
    # Archives round positions: bodies of one size differ by less than that.
    return positions if abs(leg / skeleton.leg - 1) < 0.01 else positions * (skeleton.leg / leg)


def windows_of(clips: Clips, length: int = 48, stride: int = 12, mirror: bool = False) -> Windows:
    """Cut clips into windows; clips that are shorter are left out, and a warning counts them.

    Args:
        clips: `Clips`.
        length: Frames of a window.
        stride: Frames from one to the next.
        mirror: Add each clip as a mirror shows it. Only where left and right mean the same.

    Returns:
        `Windows`.
    """
    pieces, sources, short = [], [], 0
    for index, positions in enumerate(clips.positions):
        if len(positions) < length:
            short += 1
            continue
        views = [positions, mirror_motion(positions, clips.skeleton)] if mirror else [positions]
        for view in views:
            features = features_of(view, clips.skeleton)
            starts = range(0, len(features) - length + 1, stride)
            pieces += [features[start : start + length] for start in starts]
            sources += [index] * len(starts)
    if short:
        logger.warning(
            "%d of %d clips are shorter than %d frames and left out.", short, len(clips), length
        )
    if not pieces:
        raise ValueError(f"No clip has {length} frames. Take shorter windows.")
    sources = np.array(sources)
    return Windows(np.stack(pieces), clips.actions[sources], clips.styles[sources], sources)


def statistics_of(features: np.ndarray, least: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each feature, to be taken from the training split alone.

    Args:
        features: Array `(..., features)`.
        least: Smallest deviation, above 0, so that what hardly moves is not blown up.
    """
    flat = np.asarray(features, "float64").reshape(-1, features.shape[-1])
    return flat.mean(0).astype("float32"), np.maximum(flat.std(0), least).astype("float32")
