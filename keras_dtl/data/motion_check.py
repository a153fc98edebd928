"""What a folder of motion files would be taken for, without learning from it."""

import dataclasses
from collections import Counter
from pathlib import Path

from keras_dtl.bodies import Body, body_of
from keras_dtl.bvh import BvhError, read_bvh
from keras_dtl.data.motion_labels import motion_files, motion_labels
from keras_dtl.files import FilePath


@dataclasses.dataclass(frozen=True)
class MotionDescription:
    """What was found in motion files.

    Args:
        files: How many there are.
        unreadable: Why files cannot be used, by their name.
        skeletons: How many files have each skeleton, by the names of its joints.
        up: How many files have each axis up: x, y or z, with a minus sign where it points down.
        rates: How many files have each rate, in frames a second, rounded to hundredths.
        lead_ins: Frames of the pose that a clip jumps from, by name of the file that has one.
        frames: Of all files that can be read.
        actions, styles: How many files have each.
        labels: Where these come from: table, folders or names; the last is a guess. Empty where
            nothing tells them.
        problem: Why actions and styles cannot be told, or nothing.
    """

    files: int
    unreadable: dict[str, str]
    skeletons: dict[tuple[str, ...], int]
    up: dict[str, int]
    rates: dict[float, int]
    lead_ins: dict[str, int]
    frames: int
    actions: dict[str, int]
    styles: dict[str, int]
    labels: str
    problem: str

    def lines(self) -> list[str]:
        """Return what is to be told, a line each."""
        found = [f"{self.files} BVH files, {self.frames} frames"]
        for names, count in self.skeletons.items():
            found.append(f"skeleton of {count} files, {len(names)} joints: {', '.join(names)}")
        found.append(f"up axis: {_counts(self.up)}; frames a second: {_counts(self.rates)}")
        if self.actions:
            found.append(f"actions: {_counts(self.actions)}; styles: {_counts(self.styles)}")
            found.append(f"told by {self.labels}")
        found += [f"{name}: begins with a pose of {n} frames" for name, n in self.lead_ins.items()]
        found += [f"{name}: {reason}" for name, reason in self.unreadable.items()]
        return [*found, self.problem] if self.problem else found


def _counts(values: dict) -> str:
    return ", ".join(f"{value} ({count})" for value, count in sorted(values.items())) or "none"


def describe_motion(path: FilePath) -> MotionDescription:
    """Return what a BVH file, or a folder of them, would be taken for.

    Args:
        path: The file or the folder, whose sub-folders are read, too.

    Raises:
        FileNotFoundError: There is none.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    folder = path if path.is_dir() else path.parent
    paths = motion_files(folder) if path.is_dir() else [path]
    bodies, unreadable = {}, {}
    for each in paths:
        name = each.relative_to(folder).as_posix()
        try:
            bodies[name] = _outline(body_of(read_bvh(each)))
        except (BvhError, OSError) as error:
            unreadable[name] = str(error)
    return MotionDescription(
        files=len(paths),
        unreadable=unreadable,
        skeletons=Counter(names for names, *_ in bodies.values()),
        up=Counter(up for _, up, *_ in bodies.values()),
        rates=Counter(rate for _, _, rate, *_ in bodies.values()),
        lead_ins={name: outline[3] for name, outline in bodies.items() if outline[3]},
        frames=sum(outline[4] for outline in bodies.values()),
        **_labels(folder, paths),
    )


def _outline(body: Body) -> tuple[tuple[str, ...], str, float, int, int]:
    """Return joints, up axis, rate, frames of the lead-in, and frames."""
    rate = round(body.bvh.frames_per_second, 2)
    return body.skeleton.names, body.up, rate, body.lead_in, len(body.positions)


def _labels(folder: Path, paths: list[Path]) -> dict:
    try:
        labels = motion_labels(folder, paths)
    except ValueError as error:
        return {"actions": {}, "styles": {}, "labels": "", "problem": str(error)}
    untold = sorted(path.name for path in labels.missing)
    names = ", ".join(untold[:5])
    problem = f"no action and style of {len(untold)} files, such as {names}" if untold else ""
    return {
        "actions": Counter(action for action, _ in labels.found.values()),
        "styles": Counter(style for _, style in labels.found.values()),
        "labels": labels.source if labels.found else "",
        "problem": problem,
    }
