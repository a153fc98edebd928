"""Weights that PyTorch saved, read as arrays: nothing of the file runs, nor is PyTorch needed.

Such a file is a pickle that names its arrays, and their bytes beside it: in an archive since
PyTorch 1.6, one behind the other before. The pickle is read by an `Unpickler` that knows a
dictionary and what stands for an array, and refuses all other names.
"""

import collections
import io
import math
import pickle
import struct
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from keras_dtl.files import FilePath

DTYPES = {
    **{"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2"},
    **{"LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2"},
    **{"CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?"},
}
"""What the numbers of a storage are, by the name that PyTorch gives it."""
_OLD_MAGIC = 0x1950A86A20F9469CFC6C  # the first number in files older than PyTorch 1.6
_LARGEST_PICKLE = 2**26  # bytes: thousands of names


class TorchFileError(ValueError):
    """A file that is not what PyTorch saves of weights, or holds more than weights."""


class Storage(NamedTuple):
    """Numbers that arrays are views of."""

    key: str
    dtype: np.dtype
    count: int


class Tensor(NamedTuple):
    """A view of a storage, in numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple
    strides: tuple


def read_torch_file(path: FilePath) -> dict[str, np.ndarray]:
    """Return the arrays of a `state_dict` that `torch.save` wrote, by name.

    Args:
        path: The file, such as `latest_net_G.pth`.

    Raises:
        TorchFileError: It holds something else than named arrays, or is damaged.
        OSError: It cannot be read.
    """
    try:
        with open(path, "rb") as file:
            is_archive = zipfile.is_zipfile(file)
            file.seek(0)
            value, bytes_of = (_read_archive if is_archive else _read_old_file)(file)
        return _arrays(value, bytes_of)
    except TorchFileError as error:
        raise TorchFileError(f"{path}: {error}") from error
    # What pickles and archives that are damaged end in.
    except (
        *(pickle.UnpicklingError, zipfile.BadZipFile, EOFError, KeyError, IndexError),
        *(ValueError, TypeError, AttributeError, OverflowError, MemoryError, RuntimeError),
        struct.error,
    ) as error:
        raise TorchFileError(
            f"{path} is no file of weights that PyTorch saved, or it is damaged "
            f"({type(error).__name__}: {error}). Give what torch.save(network.state_dict(), path) "
            "wrote."
        ) from error


def _tensor_of(*parts: Any) -> Tensor:
    return Tensor(*parts[:4])


def _data_of(tensor: Tensor, *rest: Any) -> Tensor:
    return tensor


NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor"): _tensor_of,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor_of,
    ("torch._utils", "_rebuild_parameter"): _data_of,
}
"""What a pickle of weights may name, and what it then gets."""


class _WeightsUnpickler(pickle.Unpickler):
    """Knows what a `state_dict` is made of, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("torch", "torch.storage") and name in DTYPES:
            return name
        if (module, name) not in NAMES:
            raise TorchFileError(
                f"it holds {module}.{name}, which is not executed here: only weights are read. "
                "Save them alone: torch.save(network.state_dict(), path)."
            )
        return NAMES[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        kind, dtype, key, _, count = pid[:5]
        if kind != "storage" or not isinstance(dtype, str):
            raise TorchFileError(f"it holds {kind!r} where a storage was expected.")
        return Storage(str(key), np.dtype(DTYPES[dtype]), int(count))


def _read_archive(file) -> tuple[Any, Callable[[Storage], bytes]]:
    archive = zipfile.ZipFile(file)
    (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
    if archive.getinfo(name).file_size > _LARGEST_PICKLE:
        raise TorchFileError("its list of names is too large to be one of weights.")
    folder = name.removesuffix("data.pkl")
    value = _WeightsUnpickler(io.BytesIO(archive.read(name))).load()
    order = f"{folder}byteorder"
    if order in archive.namelist() and archive.read(order) != b"little":
        raise TorchFileError("its numbers are big-endian, which is not read.")
    needed = _storages(value)
    found = {}
    for key, storage in needed.items():
        entry = archive.getinfo(f"{folder}data/{key}")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise TorchFileError("its archive is compressed, as PyTorch never writes it.")
        if entry.file_size < storage.count * storage.dtype.itemsize:
            raise TorchFileError(f"the numbers of storage {key} are missing at the end.")
        found[key] = archive.read(entry)
    return value, lambda storage: found[storage.key]


def _read_old_file(file) -> tuple[Any, Callable[[Storage], bytes]]:
    if _WeightsUnpickler(file).load() != _OLD_MAGIC:
        raise TorchFileError("it does not begin like a file that PyTorch saved.")
    _WeightsUnpickler(file).load()  # version of the format
    if not _WeightsUnpickler(file).load().get("little_endian", True):
        raise TorchFileError("its numbers are big-endian, which is not read.")
    value = _WeightsUnpickler(file).load()
    needed, found = _storages(value), {}
    for key in _WeightsUnpickler(file).load():
        storage = needed[str(key)]
        count = int.from_bytes(file.read(8), "little")
        if count != storage.count:
            raise TorchFileError(f"storage {key} holds {count} numbers, not {storage.count}.")
        found[storage.key] = file.read(count * storage.dtype.itemsize)
    return value, lambda storage: found[storage.key]


def _tensors(value: Any) -> dict[str, Tensor]:
    tensors = dict(value) if isinstance(value, dict) else {}
    if not tensors or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in tensors.items()
    ):
        raise TorchFileError(
            "it holds something else than named arrays. Save them alone: "
            "torch.save(network.state_dict(), path)."
        )
    return tensors


def _storages(value: Any) -> dict[str, Storage]:
    return {tensor.storage.key: tensor.storage for tensor in _tensors(value).values()}


def _arrays(value: Any, bytes_of: Callable[[Storage], bytes]) -> dict[str, np.ndarray]:
    numbers = {}
    for key, storage in _storages(value).items():
        numbers[key] = np.frombuffer(bytes_of(storage), storage.dtype, storage.count)
    return {
        name: _view(name, tensor, numbers[tensor.storage.key])
        for name, tensor in _tensors(value).items()
    }


def _view(name: str, tensor: Tensor, numbers: np.ndarray) -> np.ndarray:
    """Return an array of its own; never one that reaches beyond its storage."""
    offset, shape, strides = tensor.offset, tuple(tensor.shape), tuple(tensor.strides)
    sizes = (offset, *shape, *strides)
    if not all(isinstance(n, int) and n >= 0 for n in sizes) or len(shape) != len(strides):
        raise TorchFileError(f"{name} has the shape {shape} and the strides {strides}.")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    count = math.prod(shape)
    if (count and last >= len(numbers)) or count > len(numbers):
        raise TorchFileError(f"{name} reaches beyond the numbers that are there.")
    steps = [step * numbers.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps).copy()
