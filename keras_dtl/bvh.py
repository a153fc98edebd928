"""BVH motion files, read, written and turned into positions; NumPy only.

A file may come from anywhere: every number is checked before it is used.
"""

import dataclasses
import math
from pathlib import Path

import numpy as np

from keras_dtl.files import FilePath, read_regular, write_text

POSITIONS = ("Xposition", "Yposition", "Zposition")
ROTATIONS = ("Xrotation", "Yrotation", "Zrotation")
_CHANNELS = {name.lower(): name for name in (*POSITIONS, *ROTATIONS)}
_LARGEST = 2**30  # bytes


class BvhError(ValueError):
    """A BVH file that cannot be used; the message says where and why."""


@dataclasses.dataclass(frozen=True)
class Joint:
    """One joint of a skeleton.

    Args:
        name: Without white space.
        parent: Index of its parent, which comes before it; -1 for the root.
        offset: Where it rests, from its parent, `(x, y, z)`.
        channels: Names such as `"Zrotation"`, in the order of the file.
        end: Offset of the end site, where it has one.
    """

    name: str
    parent: int
    offset: tuple
    channels: tuple
    end: tuple | None = None


@dataclasses.dataclass(frozen=True)
class Bvh:
    """A skeleton and its motion.

    Args:
        joints: Tuple of `Joint`, parents first.
        values: Channels of all joints in turn, float64 `(frames, channels)`, angles in degrees.
        frame_time: Seconds from one frame to the next.
    """

    joints: tuple
    values: np.ndarray
    frame_time: float

    @property
    def names(self) -> tuple[str, ...]:
        """Of the joints, in their order."""
        return tuple(joint.name for joint in self.joints)

    @property
    def parents(self) -> np.ndarray:
        """Index of each joint's parent, integers `(joints,)`; -1 for the root."""
        return np.array([joint.parent for joint in self.joints])

    @property
    def offsets(self) -> np.ndarray:
        """Where each joint rests from its parent, float64 `(joints, 3)`."""
        return np.array([joint.offset for joint in self.joints], "float64")

    @property
    def frames_per_second(self) -> float:
        """The inverse of `frame_time`."""
        return 1.0 / self.frame_time


def read_bvh(path: FilePath) -> Bvh:
    """Read a BVH file.

    Args:
        path: The file.

    Raises:
        BvhError: It is not a BVH file, or is damaged; the message says in which line and how.
        OSError: It cannot be read.
    """
    path = Path(path)
    try:
        _check_length(path.stat().st_size)
        return parse_bvh(read_regular(path))
    except BvhError as error:
        raise BvhError(f"{path.name}: {error}") from error


def _check_length(length):
    if length > _LARGEST:
        raise BvhError(f"larger than {_LARGEST} bytes")


def parse_bvh(text: str | bytes) -> Bvh:
    """Return the motion that the text of a BVH file describes.

    Args:
        text: The content of a file; bytes are UTF-8, with or without a mark at their begin.

    Raises:
        BvhError: It is not that of a BVH file, or is damaged.
    """
    if isinstance(text, bytes):
        _check_length(len(text))
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BvhError(f"it is no text file ({error.reason})") from error
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1)]
    lines = _Lines([(number, words) for number, words in lines if words])
    lines.expect("HIERARCHY")
    joints = []
    _read_joint(lines, joints, -1)
    _check_names(joints)
    lines.expect("MOTION")
    frames = _number(lines, lines.labelled("Frames:"), "the number of frames")
    if frames < 1 or frames != int(frames):
        raise BvhError(f"line {lines.number}: Frames must be 1 or more, received {frames:g}")
    frame_time = _number(lines, lines.labelled("Frame", "Time:"), "the frame time")
    if frame_time <= 0:
        raise BvhError(f"line {lines.number}: Frame Time must be above 0, received {frame_time:g}")
    return Bvh(tuple(joints), _read_values(lines, joints, int(frames)), frame_time)


class _Lines:
    """The words of each line, one line after the other."""

    def __init__(self, lines):
        self.lines = lines
        self.position = 0
        self.number = 0

    def next(self, wanted):
        if self.position == len(self.lines):
            raise BvhError(f"the file ends where {wanted} should be; it was cut")
        self.number, words = self.lines[self.position]
        self.position += 1
        return words

    def expect(self, *words):
        """Take a line that must begin with some words, and return what follows them."""
        found = self.next(" ".join(words))
        if [word.lower() for word in found[: len(words)]] != [word.lower() for word in words]:
            raise BvhError(
                f"line {self.number}: expected {' '.join(words)!r}, received "
                f"{' '.join(found)[:60]!r}"
            )
        return found[len(words) :]

    def labelled(self, *words):
        rest = self.expect(*words)
        if len(rest) != 1:
            raise BvhError(f"line {self.number}: one number must follow {' '.join(words)!r}")
        return rest[0]


def _read_joint(lines, joints, parent):
    """Read one joint with all below it; without recursion, which a file could exhaust."""
    stack = []
    while True:
        words = lines.next("a joint")
        kind = words[0].upper()
        if kind in ("ROOT", "JOINT") and len(words) > 1 and bool(stack) == (kind == "JOINT"):
            joint = _read_head(lines, "_".join(words[1:]), stack[-1] if stack else parent)
            joints.append(joint)
            stack.append(len(joints) - 1)
        elif kind == "END" and stack:
            lines.expect("{")
            end = _three(lines, lines.expect("OFFSET"))
            lines.expect("}")
            joints[stack[-1]] = dataclasses.replace(joints[stack[-1]], end=end)
        elif kind == "}" and stack:
            stack.pop()
            if not stack:
                return
        else:
            raise BvhError(
                f"line {lines.number}: received {' '.join(words)[:60]!r} in the skeleton"
            )


def _read_head(lines, name, parent):
    lines.expect("{")
    offset = _three(lines, lines.expect("OFFSET"))
    words = lines.expect("CHANNELS")
    channels = tuple(_CHANNELS.get(word.lower()) for word in words[1:])
    if not words or words[0] != str(len(channels)) or len(set(channels)) != len(channels):
        raise BvhError(f"line {lines.number}: {name} must list as many channels as it announces")
    if None in channels:
        raise BvhError(f"line {lines.number}: {name} has a channel of no known name")
    return Joint(name, parent, offset, channels)


def _three(lines, words):
    if len(words) != 3:
        raise BvhError(f"line {lines.number}: OFFSET needs 3 numbers, received {len(words)}")
    return tuple(_number(lines, word, "an offset") for word in words)


def _number(lines, word, what):
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BvhError(f"line {lines.number}: {what} must be a finite number, received {word!r}")
    return value


def _check_names(joints):
    names = [joint.name for joint in joints]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise BvhError(f"several joints are called {', '.join(doubled)}")


def _read_values(lines, joints, frames):
    rows = lines.lines[lines.position :]
    width = sum(len(joint.channels) for joint in joints)
    for number, words in rows:
        if len(words) != width:
            raise BvhError(
                f"line {number}: a frame needs {width} numbers, received {len(words)}; "
                "the file was cut or its skeleton changed"
            )
    if len(rows) != frames:
        raise BvhError(f"{frames} frames are announced, {len(rows)} are there")
    try:
        values = np.array([words for _, words in rows], "float64")
    except ValueError as error:
        raise BvhError(f"the motion holds what is no number: {error}") from error
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        names = [f"{joint.name} {channel}" for joint in joints for channel in joint.channels]
        raise BvhError(f"line {rows[row][0]}: {names[column]} is {values[row, column]}")
    return values


def write_bvh(path: FilePath, bvh: Bvh, decimals: int = 6) -> None:
    """Write a BVH file, whole or not at all.

    Args:
        path: The file.
        bvh: A `Bvh`.
        decimals: Digits after the point in the motion; 6 is what files commonly have, and
            what was read from such a file is written as it was.
    """
    write_text(path, format_bvh(bvh, decimals))


def format_bvh(bvh: Bvh, decimals: int = 6) -> str:
    """Return the text of a BVH file.

    Args:
        bvh: A `Bvh`.
        decimals: Digits after the point in the motion.
    """
    lines = ["HIERARCHY", *_hierarchy(bvh.joints, 0, 0), "MOTION"]
    lines += [f"Frames: {len(bvh.values)}", f"Frame Time: {bvh.frame_time!r}"]
    lines += [" ".join(f"{value:.{decimals}f}" for value in row) for row in bvh.values]
    return "\n".join(lines) + "\n"


def _hierarchy(joints, index, depth):
    joint, tab = joints[index], "\t" * depth
    yield f"{tab}{'JOINT' if depth else 'ROOT'} {joint.name}"
    yield f"{tab}{{"
    yield f"{tab}\tOFFSET {_triple(joint.offset)}"
    yield f"{tab}\tCHANNELS {len(joint.channels)} {' '.join(joint.channels)}"
    for child, other in enumerate(joints):
        if other.parent == index:
            yield from _hierarchy(joints, child, depth + 1)
    if joint.end is not None:
        yield from (f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {_triple(joint.end)}")
        yield f"{tab}\t}}"
    yield f"{tab}}}"


def _triple(offset):
    return " ".join(repr(float(value)) for value in offset)


def forward_kinematics(bvh: Bvh) -> tuple[np.ndarray, np.ndarray]:
    """Return where all joints are, float64 `(frames, joints, 3)`, and how they are turned.

    Position channels of a joint stand in place of its offset. Rotations are applied in the order
    of the channels, each about the axes as the ones before have turned them.

    Args:
        bvh: A `Bvh`; its angles are in degrees, its lengths in whatever unit.

    Returns:
        Positions `(frames, joints, 3)` and rotations to world axes `(frames, joints, 3, 3)`.
    """
    frames, count = len(bvh.values), len(bvh.joints)
    positions = np.empty((frames, count, 3))
    rotations = np.empty((frames, count, 3, 3))
    column = 0
    for index, joint in enumerate(bvh.joints):
        values = bvh.values[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        place, turn = _local(joint, values)
        if joint.parent < 0:
            positions[:, index], rotations[:, index] = place, turn
            continue
        above = rotations[:, joint.parent]
        positions[:, index] = positions[:, joint.parent] + np.einsum("fij,fj->fi", above, place)
        rotations[:, index] = above @ turn
    return positions, rotations


def _local(joint, values):
    """Return translation `(frames, 3)` and rotation `(frames, 3, 3)` from a joint's parent."""
    place = np.tile(np.array(joint.offset, "float64"), (len(values), 1))
    turn = np.tile(np.eye(3), (len(values), 1, 1))
    for name, column in zip(joint.channels, values.T, strict=True):
        if name in POSITIONS:
            place[:, POSITIONS.index(name)] = column
        else:
            turn = turn @ axis_rotation(ROTATIONS.index(name), np.radians(column))
    return place, turn


def axis_rotation(axis: int, angles: np.ndarray) -> np.ndarray:
    """Return rotations about the axis x (0), y (1) or z (2) by angles in radians.

    Args:
        axis: 0, 1 or 2.
        angles: In radians, an array of any shape.

    Returns:
        Rotation matrices `(*angles.shape, 3, 3)`.
    """
    angles = np.asarray(angles, "float64")
    matrix = np.zeros((*angles.shape, 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angles)
    matrix[..., second, first] = np.sin(angles)
    matrix[..., first, second] = -np.sin(angles)
    return matrix


def zxy_angles(rotations: np.ndarray) -> np.ndarray:
    """Return angles `(..., 3)` in degrees about z, x and y, such that R = Rz Rx Ry.

    Args:
        rotations: Rotation matrices `(..., 3, 3)`.
    """
    x = np.arcsin(np.clip(rotations[..., 2, 1], -1, 1))
    z = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    y = np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2])
    # Where x is a right angle, z and y turn about the same axis: z takes it all.
    locked = np.abs(rotations[..., 2, 1]) > 1 - 1e-9
    z = np.where(locked, np.arctan2(rotations[..., 1, 0], rotations[..., 0, 0]), z)
    return np.degrees(np.stack([z, x, np.where(locked, 0.0, y)], -1))


def to_six(rotations: np.ndarray) -> np.ndarray:
    """Return the first two columns of rotation matrices, which change without jumps, `(..., 6)`.

    Reference: Zhou et al., "On the Continuity of Rotation Representations in Neural Networks",
    CVPR 2019.

    Args:
        rotations: Rotation matrices `(..., 3, 3)`.
    """
    return np.concatenate([rotations[..., 0], rotations[..., 1]], -1)


def from_six(six: np.ndarray) -> np.ndarray:
    """Return the rotation matrices `(..., 3, 3)` that six numbers stand for, whatever their length.

    Args:
        six: Two columns one after the other, `(..., 6)`.

    Raises:
        ValueError: The two columns are parallel or zero.
    """
    first, second = np.split(np.asarray(six, "float64"), 2, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = first / np.linalg.norm(first, axis=-1, keepdims=True)
        y = second - (x * second).sum(-1, keepdims=True) * x
        y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("Two columns that are parallel or zero stand for no rotation.")
    return np.stack([x, y, np.cross(x, y)], -1)
