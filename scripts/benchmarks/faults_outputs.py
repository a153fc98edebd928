"""What a command leaves: whether it is whole, and what of it must be the same in every run."""

import hashlib
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import onnx

from keras_dtl.callbacks.weights_file import MemoryFile, without_checksum
from keras_dtl.images import read_image
from keras_dtl.manifest import read_manifest, verify_file

COMPARED = (".keras", ".onnx", ".npz", "history.json", "scores.json", "selection.json")
"""Ends of the names of what a training and the like leave that must not depend on any stop."""


def visible_files(folder):
    """Return `{name: path}` of all files but hidden ones and their folders."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: path
        for name, path in found.items()
        if path.is_file() and not any(part.startswith(".") for part in Path(name).parts)
    }


def _by_age(folder, name):
    """Return a name in which the version of an artifact is its place among those that stay.

    An export that was over when it was killed is given again: its versions are one further.
    """
    *above, file = Path(name).parts
    if not (above and above[-1].isdecimal()):
        return name
    artifact = folder.joinpath(*above[:-1])
    versions = sorted(int(path.name) for path in artifact.iterdir() if path.name.isdecimal())
    return Path(*above[:-1], f"version {versions.index(int(above[-1])) + 1}", file).as_posix()


def outputs(case, folder):
    """Return what must be the same in every run, by name: the digest of its content."""
    found = {}
    for name, path in visible_files(folder).items():
        if case.is_conversion:
            kept = not path.name.startswith(("report", "gallery"))
        else:
            kept = name.endswith(COMPARED) or path.suffix in (".png", ".jpg")
            kept = kept and not path.name.startswith("figure")
        if kept:
            found[name if case.is_conversion else _by_age(folder, name)] = _digest(path)
    return found


def _digest(path):
    data = path.read_bytes()
    if path.suffix == ".keras":  # beside the weights are the date and names that were counted
        data = _weights(path)
    elif path.suffix == ".onnx":  # names of layers count what a process has made before
        data = onnx_content(onnx.load_from_string(data).graph)
    return hashlib.sha256(data).hexdigest()


def onnx_content(graph, known=()):
    """Return a digest of what a graph computes, whatever its values are called and their order."""
    known = dict(known)
    for tensor in graph.initializer:
        known[tensor.name] = _joined(*_tensor(tensor))
    for place, value in enumerate(graph.input):
        known.setdefault(value.name, b"%d" % place)
    for node in graph.node:
        if node.op_type == "Identity":  # which of two equal outputs is a copy is left to chance
            known[node.output[0]] = known.get(node.input[0], b"")
            continue
        parts = [node.op_type.encode(), *(known.get(name, b"") for name in node.input)]
        for item in sorted(node.attribute, key=lambda attribute: attribute.name):
            parts += [item.name.encode(), *_attribute(item, known)]
        for place, name in enumerate(node.output):
            known[name] = _joined(*parts, b"%d" % place)
    return _joined(*(known[value.name] for value in graph.output))


def _attribute(item, known):
    if item.HasField("g"):
        return [onnx_content(item.g, known)]
    return _tensor(item.t) if item.HasField("t") else [item.SerializeToString()]


def _tensor(tensor):
    array = onnx.numpy_helper.to_array(tensor)
    return [f"{array.dtype} {array.shape}".encode(), array.tobytes()]


def _joined(*parts):
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _weights(path):
    """Return the names, kinds and bytes of all arrays of a `.keras` file, in order."""
    with zipfile.ZipFile(path) as file:
        content = MemoryFile(file.read("model.weights.h5"))
    found = []
    with h5py.File(content) as file:
        file.visititems(lambda name, item: found.append((name, item)))
        arrays = [(name, np.asarray(item)) for name, item in found if hasattr(item, "shape")]
    return b"".join(
        f"{name} {array.dtype} {array.shape}".encode() + array.tobytes()
        for name, array in sorted(arrays, key=lambda pair: pair[0])
    )


def half_files(folder):
    """Return the names of the files that are not whole, each read for what it is."""
    found = [name for name, path in visible_files(folder).items() if not _is_whole(path)]
    return found + [
        str(path.parent)
        for path in folder.rglob("manifest.json")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not _is_artifact(path.parent)
    ]


def _is_artifact(folder):
    """Whether all is there that a manifest lists; of an earlier version all in its folder."""
    try:
        manifest = read_manifest(folder)
        place = folder.parent if folder.name == f"{manifest.version}" else folder
        names = [name for name in manifest.files if (place / name).is_relative_to(folder)]
        for name in names:
            verify_file(place, manifest, name)
    except (ValueError, OSError):
        return False
    return True


def _is_whole(path):
    try:
        data = path.read_bytes()
        if path.suffix in (".keras", ".npz"):
            with zipfile.ZipFile(path) as file:
                return file.testzip() is None
        if path.suffix == ".json":
            json.loads(data)
        elif path.suffix in (".png", ".jpg"):
            read_image(path)
        elif path.suffix == ".html":
            return data.rstrip().endswith(b"</html>")
        elif path.suffix == ".h5":
            h5py.File(MemoryFile(without_checksum(data))).close()
    except (ValueError, OSError, zipfile.BadZipFile):
        return False
    return bool(data)
