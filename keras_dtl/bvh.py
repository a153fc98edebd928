"""BVH motion files, read, written and turned into positions; NumPy only.

A file may come from anywhere: every number is checked before it is used.
"""

import array
import collections
import dataclasses
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_dtl.files import FilePath, write_text

POSITIONS = ("Xposition", "Yposition", "Zposition")
ROTATIONS = ("Xrotation", "Yrotation", "Zrotation")
_CHANNELS = {name.lower(): name for name in (*POSITIONS, *ROTATIONS)}
_LARGEST = 2**30  # bytes
_LARGEST_NUMBER = 1e9  # of lengths in any unit and of degrees
_FRAME_TIMES = (1e-4, 60.0)  # seconds
_MOST_PLACES = 2**25  # joints times frames, of which each takes 96 bytes or more later on
_LONGEST_LINE = 2**22  # letters
_DEEPEST_TAB = 50
_BRACES = re.compile(r"([{}])")


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
        return parse_bvh(path.read_bytes())
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
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    _check_length(len(data))
    try:
        return _parse(_Lines(data))
    except UnicodeDecodeError as error:
        raise BvhError(f"it is no text file ({error.reason})") from error


def _parse(lines):
    lines.expect("HIERARCHY")
    joints = _read_joints(lines)
    _check_names(joints)
    lines.expect("MOTION")
    frames = _number(lines, lines.labelled("Frames:"), "the number of frames")
    if frames < 1 or frames != int(frames):
        raise BvhError(f"line {lines.number}: Frames must be 1 or more, received {frames:g}")
    if frames * len(joints) > _MOST_PLACES:
        raise BvhError(
            f"{frames:.0f} frames of {len(joints)} joints are more than {_MOST_PLACES} places; "
            "cut it into shorter files"
        )
    frame_time = _number(lines, lines.labelled("Frame", "Time:"), "the frame time")
    if frame_time <= 0:
        raise BvhError(f"line {lines.number}: Frame Time must be above 0, received {frame_time:g}")
    least, most = _FRAME_TIMES
    if not least <= frame_time <= most:
        raise BvhError(
            f"line {lines.number}: Frame Time must be {least:g} to {most:g} seconds, received "
            f"{frame_time:g}"
        )
    return Bvh(tuple(joints), _read_values(lines, joints, int(frames)), frame_time)


class _Lines:
    """The words of each line, one line after the other; only one is held as text.

    A brace is a line of its own, wherever it stands.
    """

    def __init__(self, data):
        # Line ends of all systems are one.
        self.file = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig")
        self.number = 0
        self.pieces = collections.deque()

    def rows(self):
        """Yield the words of the lines that are left and not blank."""
        while line := self._line():
            if words := line.split():
                yield words

    def _line(self):
        line = self.file.readline(_LONGEST_LINE)
        self.number += bool(line)
        if len(line) == _LONGEST_LINE:
            raise BvhError(f"line {self.number} has {_LONGEST_LINE} letters or more")
        return line

    def next(self, wanted):
        while not self.pieces:
            line = self._line()
            if not line:
                raise BvhError(f"the file ends where {wanted} should be; it was cut")
            pieces = (piece.split() for piece in _BRACES.split(line))
            self.pieces.extend(words for words in pieces if words)
        return self.pieces.popleft()

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


def _read_joints(lines):
    """Read the skeleton; without recursion, which a file could exhaust."""
    joints, stack = [], []
    while True:
        words = lines.next("a joint")
        kind = words[0].upper()
        if kind in ("ROOT", "JOINT") and len(words) > 1 and bool(stack) == (kind == "JOINT"):
            joints.append(_read_head(lines, "_".join(words[1:]), stack[-1] if stack else -1))
            stack.append(len(joints) - 1)
        elif kind == "END" and stack:
            joints[stack[-1]] = dataclasses.replace(joints[stack[-1]], end=_read_end(lines))
        elif kind == "}" and stack:
            stack.pop()
            if not stack:
                return joints
        else:
            raise BvhError(
                f"line {lines.number}: received {' '.join(words)[:60]!r} in the skeleton"
            )


def _read_end(lines):
    lines.expect("{")
    end = _three(lines, lines.expect("OFFSET"))
    lines.expect("}")
    return end


def _read_head(lines, name, parent):
    """Read OFFSET and CHANNELS of a joint, in the order in which they come."""
    lines.expect("{")
    words = lines.next("OFFSET")
    if words[0].upper() == "CHANNELS":
        channels = _channels(lines, name, words[1:])
        return Joint(name, parent, _three(lines, lines.expect("OFFSET")), channels)
    if words[0].upper() != "OFFSET":
        raise BvhError(f"line {lines.number}: expected 'OFFSET', received {' '.join(words)[:60]!r}")
    offset = _three(lines, words[1:])
    return Joint(name, parent, offset, _channels(lines, name, lines.expect("CHANNELS")))


def _channels(lines, name, words):
    channels = tuple(_CHANNELS.get(word.lower()) for word in words[1:])
    if not words or words[0] != str(len(channels)) or len(set(channels)) != len(channels):
        raise BvhError(f"line {lines.number}: {name} must list as many channels as it announces")
    if None in channels:
        raise BvhError(f"line {lines.number}: {name} has a channel of no known name")
    return channels


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
    if abs(value) > _LARGEST_NUMBER:
        raise BvhError(f"line {lines.number}: {what} is {value:g}, larger than {_LARGEST_NUMBER:g}")
    return value


def _check_names(joints):
    counts = collections.Counter(joint.name for joint in joints)
    if doubled := sorted(name for name, count in counts.items() if count > 1):
        raise BvhError(f"several joints are called {', '.join(doubled)}")


def _read_values(lines, joints, frames):
    width = sum(len(joint.channels) for joint in joints)
    values, numbers = array.array("d"), array.array("q")
    for words in lines.rows():
        if len(words) != width:
            raise BvhError(
                f"line {lines.number}: a frame needs {width} numbers, received {len(words)}; "
                "the file was cut or its skeleton changed"
            )
        try:
            values.extend(map(float, words))
        except ValueError as error:
            raise BvhError(
                f"line {lines.number}: the motion holds what is no number: {error}"
            ) from error
        numbers.append(lines.number)
    if len(numbers) != frames:
        raise BvhError(f"{frames} frames are announced, {len(numbers)} are there")
    values = np.frombuffer(values, "float64").reshape(frames, width)
    _check_values(values, numbers, joints)
    return values


def _check_values(values, numbers, joints):
    # What is NaN is not below anything.
    wrong = ~(np.abs(values) <= _LARGEST_NUMBER)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        names = [f"{joint.name} {channel}" for joint in joints for channel in joint.channels]
        raise BvhError(
            f"line {numbers[row]}: {names[column]} is {values[row, column]:g}; expected a number "
            f"of at most {_LARGEST_NUMBER:g}"
        )


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
    lines = ["HIERARCHY", *_hierarchy(bvh.joints), "MOTION"]
    lines += [f"Frames: {len(bvh.values)}", f"Frame Time: {bvh.frame_time!r}"]
    lines += [" ".join(f"{value:.{decimals}f}" for value in row) for row in bvh.values]
    return "\n".join(lines) + "\n"


def _hierarchy(joints):
    """Yield the lines of a skeleton; without recursion, as it may be a long chain."""
    children = children_of([joint.parent for joint in joints])
    left = [(0, 0, False)]  # joint, depth, whether it is to be closed
    while left:
        index, depth, closed = left.pop()
        if closed:
            yield from _closing(joints[index], _tab(depth))
            continue
        yield from _opening(joints[index], depth)
        left.append((index, depth, True))
        left += [(child, depth + 1, False) for child in reversed(children[index])]


def _tab(depth):
    # Of a chain of joints, tabs would be nearly all of the file.
    return "\t" * min(depth, _DEEPEST_TAB)


def _opening(joint, depth):
    tab = _tab(depth)
    yield f"{tab}{'JOINT' if depth else 'ROOT'} {joint.name}"
    yield f"{tab}{{"
    yield f"{tab}\tOFFSET {_triple(joint.offset)}"
    yield " ".join([f"{tab}\tCHANNELS {len(joint.channels)}", *joint.channels])


def _closing(joint, tab):
    if joint.end is not None:
        yield from (f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {_triple(joint.end)}")
        yield f"{tab}\t}}"
    yield f"{tab}}}"


def children_of(parents: Sequence[int]) -> list[list[int]]:
    """Return the children of each joint, in their order.

    Args:
        parents: Index of each joint's parent; -1 for the root.
    """
    children = [[] for _ in parents]
    for index, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(index)
    return children


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
