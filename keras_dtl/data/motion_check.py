"""What a folder of motion files would be taken for, without learning from it."""

import dataclasses
from collections import Counter
from pathlib import Path

from keras_dtl.data.motion_files import CUT, none_usable, read_clips
from keras_dtl.data.motion_labels import (
    WAY_OUT,
    Labels,
    motion_files,
    motion_labels,
    other_files,
)
from keras_dtl.data.summary import told_once
from keras_dtl.files import FilePath, readable_name
from keras_dtl.folders import join_names
from keras_dtl.motion import MIRRORED


@dataclasses.dataclass(frozen=True)
class MotionDescription:
    """What was found in motion files.

    Args:
        files: How many there are.
        others: Names of files beside them that are no BVH files.
        unreadable: Why files are left out, by their name.
        skeletons: How many files have each skeleton, by the names of its joints.
        up: How many files have each axis up: x, y or z, with a minus sign where it points down.
        rates: How many files have each rate, in frames a second, rounded to hundredths.
        mirrored: Names of files whose toes point backwards.
        lead_ins: Frames of the pose that a clip jumps from, by name of the file that has one.
        frames: Of each file that can be used.
        actions, styles: How many files have each.
        labels: Where these come from: table, folders or names; the last is a guess. Empty where
            nothing tells them.
        problem: Why actions and styles cannot be told, or nothing.
        refusal: Why a training cannot begin, in its words, or nothing.
    """

    files: int
    others: tuple[str, ...]
    unreadable: dict[str, str]
    skeletons: dict[tuple[str, ...], int]
    up: dict[str, int]
    rates: dict[float, int]
    mirrored: tuple[str, ...]
    lead_ins: dict[str, int]
    frames: tuple[int, ...]
    actions: dict[str, int]
    styles: dict[str, int]
    labels: str
    problem: str
    refusal: str

    def for_training(self) -> list[str]:
        """Return what is to be told before a training, a line each.

        Raises:
            ValueError: It cannot begin, by what it would say itself.
        """
        if self.refusal:
            raise ValueError(self.refusal)
        return self.lines()

    def lines(self) -> list[str]:
        """Return what is to be told, a line each."""
        found = [f"{self.files} BVH files, {sum(self.frames)} frames"]
        if self.frames:
            found[0] += f", {min(self.frames)} to {max(self.frames)} in each"
        for names, count in self.skeletons.items():
            found.append(f"skeleton of {count} files, {len(names)} joints: {', '.join(names)}")
        found.append(f"up axis: {_counts(self.up)}; frames a second: {_counts(self.rates)}")
        if self.actions:
            found.append(f"actions: {_counts(self.actions)}; styles: {_counts(self.styles)}")
            guess = f", as a guess. {WAY_OUT} if that is wrong." * (self.labels == "names")
            found.append(f"told by {self.labels}{guess}")
        found += [
            f"{name}: begins with a pose of {n} frame{'s' * (n > 1)}, {CUT}"
            for name, n in self.lead_ins.items()
        ]
        found += [f"{name}: {MIRRORED}" for name in self.mirrored]
        found += [f"left out: {name}: {reason}" for name, reason in self.unreadable.items()]
        if self.others:
            found.append(f"left out: {len(self.others)} (no BVH file): {join_names(self.others)}")
        return [*found, self.problem] if self.problem else found


def _counts(values: dict) -> str:
    return ", ".join(f"{value} ({count})" for value, count in sorted(values.items())) or "none"


def describe_motion(
    path: FilePath, rate: float = 30.0, lead_in: int | None = None
) -> MotionDescription:
    """Return what a BVH file, or a folder of them, would be taken for.

    Args:
        path: The file or the folder, whose sub-folders are read, too.
        rate: Frames a second at which it would be learnt.
        lead_in: As for `keras_dtl.data.motion.load_motion`.

    Raises:
        FileNotFoundError: There is none.
        ValueError: The folder holds no BVH files.
    """
    path = Path(path)
    paths = [path] if path.is_file() else motion_files(path)
    folder = path if path.is_dir() else path.parent
    labels, problem = _labels(folder, paths)
    clips, failed = read_clips(labels.found or paths, rate, lead_in)
    failed |= labels.missing if labels.found else {}
    names = {each: each.relative_to(folder).as_posix() for each in paths}
    refusal = problem
    if path.is_file():
        refusal = f"{readable_name(path)} is a file. Expected a folder of BVH files."
    elif not problem and not (clips and labels.found):
        refusal = none_usable(folder, failed | labels.missing)
    return MotionDescription(
        files=len(paths),
        others=tuple(each.name for each in other_files(path)) if path.is_dir() else (),
        unreadable={names[each]: failed[each] for each in sorted(failed)},
        skeletons=Counter(clip.names for clip in clips),
        up=Counter(clip.up for clip in clips),
        rates=Counter(round(clip.rate, 2) for clip in clips),
        mirrored=tuple(names[clip.path] for clip in clips if clip.is_mirrored),
        lead_ins={names[clip.path]: clip.lead_in for clip in clips if clip.lead_in},
        frames=tuple(clip.frames for clip in clips),
        actions=Counter(action for action, _ in labels.found.values()),
        styles=Counter(style for _, style in labels.found.values()),
        labels=labels.source if labels.found else "",
        problem=problem or _untold(labels),
        refusal=refusal,
    )


def _labels(folder: Path, paths: list[Path]) -> tuple[Labels, str]:
    """Return actions and styles, and why they cannot be told."""
    try:
        with told_once():
            return motion_labels(folder, paths), ""
    except ValueError as error:
        return Labels({}, {}, ""), str(error)


def _untold(labels: Labels) -> str:
    untold = sorted(path.name for path in labels.missing)
    names = ", ".join(untold[:5])
    return f"no action and style of {len(untold)} files, such as {names}" if untold else ""
