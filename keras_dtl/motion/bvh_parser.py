"""How the text of a BVH file is read: linear in time, one line of text at a time."""

import array
import collections
import dataclasses
import io
import math
import re

import numpy as np

from keras_dtl.motion.bvh_content import POSITIONS, ROTATIONS, Bvh, BvhError, Joint

_CHANNELS = {name.lower(): name for name in (*POSITIONS, *ROTATIONS)}
_LARGEST = 2**30  # bytes
_LARGEST_NUMBER = 1e9  # of lengths in any unit and of degrees
_FRAME_TIMES = (1e-4, 60.0)  # seconds
_MOST_PLACES = 2**24  # joints times frames, of which each takes 96 bytes or more later on
_LONGEST_LINE = 2**22  # letters
_BRACES = re.compile(r"([{}])")


def check_length(length: int) -> None:
    """Refuse a file that is too large to be read.

    Args:
        length: Of the file, in bytes.
    """
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
    check_length(len(data))
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
