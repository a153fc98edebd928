"""What an ONNX file says of its own weights, read before any runtime opens it.

Standard library only: the light installation has no `onnx`. The numbers are those of the fields
in ONNX's own `onnx.proto`, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

import mmap
from collections.abc import Iterator
from typing import BinaryIO

_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5  # kinds of values in protobuf
_DEEPEST = 100  # messages in one another, as many as protobuf itself allows

# Which fields of a message hold messages in which there may be tensors.
_INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        **{5: "tensor", 10: "tensor", 6: "graph", 11: "graph", 22: "sparse", 23: "sparse"},
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of a tensor


class GraphError(ValueError):
    """A file that is no ONNX graph, or one that names further files."""


def refuse_external_data(file: BinaryIO) -> None:
    """Refuse an ONNX graph whose weights lie in other files, wherever these are.

    A runtime would open whatever path the graph names, in the artifact or anywhere else.

    Args:
        file: The graph, open as a file of the system.

    Raises:
        GraphError: It has such weights, or is no graph.
    """
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _look("model", data, range(len(data)), 0)
    except (IndexError, ValueError) as error:
        if isinstance(error, GraphError):
            raise
        raise GraphError(f"it is no ONNX graph: {error}") from error


def _look(kind, data, places, depth):
    if depth > _DEEPEST:
        raise GraphError("it is no ONNX graph: it is nested too deeply")
    inside = _INSIDE[kind]
    for number, value in _fields(data, places):
        external = number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)
        if kind == "tensor" and external:
            raise GraphError(
                "its weights lie in other files, which no checksum vouches for; save it as one "
                "file (onnx.save_model without save_as_external_data)"
            )
        if number in inside:
            if not isinstance(value, range):
                raise GraphError("it is no ONNX graph: a part of it is a number")
            _look(inside[number], data, value, depth + 1)


def _fields(data: mmap.mmap, places: range) -> Iterator[tuple[int, int | range]]:
    """Yield the number of each field of a message of protobuf, and its value or where that lies."""
    place, end = places.start, places.stop
    while place < end:
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == _COUNTED:
            length, place = _varint(data, place)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise GraphError(f"it is no ONNX graph: a value of the kind {kind}")
        if length > end - place:
            raise GraphError("it is no ONNX graph, or the end is missing")
        yield number, range(place, place + length)
        place += length


def _varint(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
        if shift > 63:
            raise GraphError("it is no ONNX graph: a number without end")
