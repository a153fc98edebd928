"""Files as PyTorch saves weights, written without PyTorch: the pickle is made by hand."""

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict

MAGIC = 0x1950A86A20F9469CFC6C


class _Storage:
    def __init__(self, key, kind, array):
        self.key, self.kind, self.array = key, kind, array


class _Tensor:
    """What `torch.save` writes of a tensor: a call of `_rebuild_tensor_v2`."""

    def __init__(self, storage, offset, shape, strides, rebuild):
        self.parts = (storage, offset, shape, strides, False, OrderedDict())
        self.rebuild = rebuild

    def __reduce__(self):
        return self.rebuild, self.parts


class _Pickler(pickle._Pickler):
    def persistent_id(self, value):
        if isinstance(value, _Storage):
            return ("storage", value.kind, value.key, "cpu", value.array.size)
        return None


def fake_torch(monkeypatch):
    """Put modules of PyTorch's names in place, so that a pickle may name what is in them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2():
        """Never called: pickles only name it."""

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch, _rebuild_tensor_v2


def state_dict(arrays, torch, rebuild, views=()):
    """Return what pickles like a state dict, and its storages.

    Args:
        arrays: `{name: array}`, each of which gets a storage.
        torch, rebuild: As `fake_torch` returned them.
        views: `{name: (name of an array, offset, shape, strides)}` beside them.
    """
    kinds = {
        "float32": torch.FloatStorage,
        "int64": torch.LongStorage,
        "float16": torch.HalfStorage,
    }
    storages = {
        name: _Storage(str(number), kinds[str(array.dtype)], array.ravel())
        for number, (name, array) in enumerate(arrays.items())
    }
    places = {
        name: (name, 0, array.shape, tuple(s // array.itemsize for s in array.strides))
        for name, array in arrays.items()
    }
    found = OrderedDict(
        (name, _Tensor(storages[of], offset, shape, strides, rebuild))
        for name, (of, offset, shape, strides) in {**places, **dict(views)}.items()
    )
    return found, list(storages.values())


def _pickled(value):
    file = io.BytesIO()
    _Pickler(file, 2).dump(value)
    return file.getvalue()


def write_archive(path, value, storages):
    """Write as PyTorch does since 1.6."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", _pickled(value))
        for storage in storages:
            archive.writestr(f"archive/data/{storage.key}", storage.array.tobytes())
        archive.writestr("archive/version", "3\n")


def write_old_file(path, value, storages):
    """Write as PyTorch did before."""
    about = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    keys = [storage.key for storage in storages]
    with open(path, "wb") as file:
        for part in (MAGIC, 1001, about, value, keys):
            file.write(_pickled(part))
        for storage in storages:
            file.write(storage.array.size.to_bytes(8, "little") + storage.array.tobytes())
