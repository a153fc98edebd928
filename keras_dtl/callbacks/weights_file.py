"""Files of weights: made in memory first, and whole or absent on the disk.

HDF5 that meets a full disk while it writes ends the whole process when it closes the file.
"""

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import h5py

from keras_dtl.files import FilePath, atomic_path, read_regular

LARGEST = 2**42  # bytes
_MARK = b"keras_dtl SHA-256:"  # after what HDF5 reads, and followed by the sum of that


class MemoryFile(io.BytesIO):
    """A file of weights in memory, which Keras takes by its name for what it is."""

    def __str__(self):
        return "memory/training.weights.h5"


def write_weights(model: Any, path: FilePath, attributes: Mapping[str, Any] | None = None) -> None:
    """Write the weights of a model, whole or not at all.

    Args:
        model: Keras model.
        path: Of the file, which ends in `.weights.h5`; missing folders are made.
        attributes: Numbers and texts that are kept beside the weights, by name.

    Raises:
        OSError: There is no room for it, or the place cannot be written to.
    """
    memory = MemoryFile()
    model.save_weights(memory)
    with h5py.File(memory, "a") as file:
        file.attrs.update(attributes or {})
    with atomic_path(path) as temporary:
        temporary.write_bytes(with_checksum(memory.getbuffer()))


def read_weights(model: Any, path: FilePath, remedy: str) -> None:
    """Put weights that `write_weights` wrote into a model.

    Args:
        model: Keras model.
        path: Of the file.
        remedy: What to do where it is damaged or missing, as a sentence.

    Raises:
        OSError: It cannot be read.
        ValueError: It is damaged, or does not fit the model.
    """
    try:
        model.load_weights(MemoryFile(without_checksum(read_regular(path, LARGEST))))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} is missing. {remedy}") from error
    except (OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
        if getattr(error, "errno", None):
            raise
        raise ValueError(f"{path} is damaged: {error}. {remedy}") from error


def read_attributes(path: FilePath, remedy: str) -> dict[str, Any]:
    """Return what `write_weights` kept beside the weights.

    Args:
        path, remedy: As of `read_weights`.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        with h5py.File(path) as file:
            return dict(file.attrs)
    except (OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged: {error}. {remedy}") from error


def with_checksum(data: bytes | memoryview) -> bytes:
    """Return the bytes of a file of weights with their checksum after them.

    Args:
        data: The bytes.
    """
    return bytes(data) + _MARK + hashlib.sha256(data).digest()


def without_checksum(data: bytes) -> bytes | memoryview:
    """Return the bytes before the checksum; those that have none, as earlier versions wrote them.

    Args:
        data: What `with_checksum` returned.

    Raises:
        ValueError: The checksum is another one.
    """
    place = len(data) - len(_MARK) - hashlib.sha256().digest_size
    if place < 0 or data[place : place + len(_MARK)] != _MARK:
        return data
    content = memoryview(data)[:place]
    if hashlib.sha256(content).digest() != data[place + len(_MARK) :]:
        raise ValueError("its checksum is another one; it was damaged")
    return content
