"""Motion clips by name, from files or embedded, and their windows."""

import csv
import itertools
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_dtl.bvh import BvhError, read_bvh
from keras_dtl.data.clips import Clips
from keras_dtl.data.walker import GAITS, MOODS, RATE, walker_skeleton, walks
from keras_dtl.files import FilePath
from keras_dtl.motion import Skeleton, features_of, mirror_motion, read_motion, resample

logger = logging.getLogger("keras_dtl")

TABLE = "clips.csv"
"""Names the files of a folder with their action and style."""


class Windows(NamedTuple):
    """Pieces of equal length of clips."""

    features: np.ndarray
    """float32 `(windows, frames, features)`."""
    actions: np.ndarray
    styles: np.ndarray
    clips: np.ndarray
    """Which clip each is from."""


def load_motion(name: str, rate: float = 30.0, clips_per_cell: int = 12, seed: int = 0) -> Clips:
    """Load motion clips by name.

    Args:
        name: `"walker"`, embedded; `"bvh:PATH"` (or `"folder:PATH"`), a folder of BVH files,
            see `load_bvh_folder`; or `"npz:PATH"`, see `load_archive`.
        rate: Frames a second to resample to.
        clips_per_cell: Of the walker, in each gait and mood.
        seed: Of the walker.

    Returns:
        `Clips`.

    Raises:
        ValueError: The name stands for nothing, or no file could be read.
    """
    kind, _, place = name.partition(":")
    if name == "walker":
        return _walker(clips_per_cell, seed)
    if kind in ("bvh", "folder") and place:
        return load_bvh_folder(place, rate)
    if kind == "npz" and place:
        return load_archive(place, rate)
    raise ValueError(f"Motion is named walker, bvh:PATH or npz:PATH. Received: {name!r}")


def _walker(clips_per_cell: int, seed: int) -> Clips:
    positions, gaits, moods, factors = walks(clips_per_cell, seed)
    names = tuple(f"walker_{index:03}" for index in range(len(positions)))
    kinds = (tuple(GAITS), tuple(MOODS))
    return Clips(positions, gaits, moods, *kinds, walker_skeleton(), RATE, names, factors)


def load_bvh_folder(folder: FilePath, rate: float = 30.0) -> Clips:
    """Load a folder of BVH files; those that cannot be used are named in warnings and left out.

    Action and style of a clip are told by `clips.csv` in the folder, with the columns `file`,
    `action` and `style`; without it by sub-folders, `ACTION/STYLE/*.bvh`; or else by its name,
    `*_ACTION_STYLE_NUMBER.bvh`. All clips must have the skeleton of the first.

    Args:
        folder: The folder, whose sub-folders are read, too.
        rate: Frames a second to resample to.

    Raises:
        ValueError: None can be used, or the table lacks a column.
    """
    folder = Path(folder)
    table = _read_table(folder / TABLE)
    paths = sorted(folder.rglob("*.bvh"))
    if not paths:
        raise ValueError(f"{folder} holds no .bvh files. Check the path.")
    skeleton, found = None, []
    for path in paths:
        try:
            labels = _labels_of(path, folder, table)
            positions, skeleton_here, _ = read_motion(read_bvh(path), skeleton, rate)
            features_of(positions, skeleton_here)
        except (BvhError, OSError) as error:
            logger.warning("left out: %s: %s", path.name, error)
            continue
        skeleton = skeleton or skeleton_here
        found.append((positions, *labels, path.stem))
    if not found:
        raise ValueError(f"None of the {len(paths)} BVH files in {folder} could be used.")
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


def _read_table(path: Path) -> dict[str, tuple[str, str]] | None:
    """Return `{file: (action, style)}`, or None where there is no table."""
    if not path.is_file():
        return None
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if missing := {"file", "action", "style"} - set(rows.fieldnames or ()):
            raise ValueError(f"{path} lacks the columns {', '.join(sorted(missing))}.")
        return {row["file"]: (row["action"], row["style"]) for row in rows}


def _labels_of(
    path: Path, folder: Path, table: dict[str, tuple[str, str]] | None
) -> tuple[str, str]:
    inside = path.relative_to(folder).parts
    if table is not None:
        labels = table.get("/".join(inside))
        if labels is None or not all(labels):
            raise BvhError(f"{TABLE} tells no action and style of it")
        return labels
    if len(inside) >= 3:
        return inside[-3], inside[-2]
    words = path.stem.split("_")
    if len(words) < 3:
        raise BvhError("its name tells no action and style; expected ..._ACTION_STYLE_NUMBER.bvh")
    return words[-3], words[-2]


def load_archive(path: FilePath, rate: float = 30.0) -> Clips:
    """Load clips from one NumPy archive.

    Its arrays are `positions` `(frames of all clips, joints, 3)` about the hips, y up, joint 0
    being the world's origin; `root` `(frames, 3)`, the hips in the world; `offsets`, where each
    clip begins, and the end; `action` and `style` of each clip, which count in `action_names` and
    `style_names`; `name` of each clip; `joint_names`; `parents` of the joints; and `fps`.

    Args:
        path: The `.npz` file.
        rate: Frames a second to resample to.

    Raises:
        ValueError: An array is missing.
    """
    path = Path(path)
    with np.load(path, allow_pickle=False) as archive:
        content = {key: archive[key] for key in archive.files}
    wanted = {"positions", "root", "offsets", "action", "style", "parents", "joint_names", "fps"}
    wanted |= {"action_names", "style_names", "name"}
    if missing := sorted(wanted - set(content)):
        raise ValueError(f"{path.name} lacks {', '.join(missing)}.")
    # Joint 0 of the archive is the world's origin.
    world = content["positions"][:, 1:].astype("float64") + content["root"][:, None]
    parents = tuple(int(parent) - 1 for parent in content["parents"][1:])
    bounds = content["offsets"]
    clips = [world[a:b] for a, b in itertools.pairwise(bounds)]
    names = tuple(map(str, content["joint_names"][1:]))
    return Clips(
        [resample(clip, float(content["fps"]), rate) for clip in clips],
        content["action"].astype("int32"),
        content["style"].astype("int32"),
        tuple(map(str, content["action_names"])),
        tuple(map(str, content["style_names"])),
        _mean_skeleton(names, parents, world),
        float(rate),
        tuple(map(str, content["name"])),
    )


def _mean_skeleton(names: tuple[str, ...], parents: tuple[int, ...], world: np.ndarray) -> Skeleton:
    bones = world[:, 1:] - world[:, list(parents[1:])]
    lengths = np.linalg.norm(bones, axis=-1).mean(0)
    first = bones[0] / np.linalg.norm(bones[0], axis=-1, keepdims=True) * lengths[:, None]
    return Skeleton(names, parents, ((0.0, 0.0, 0.0), *(tuple(map(float, bone)) for bone in first)))


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
        logger.warning("%d of %d clips are shorter than %d frames.", short, len(clips), length)
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
