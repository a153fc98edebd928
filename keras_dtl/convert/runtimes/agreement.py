"""Whether a runtime computes what onnxruntime does, before anything is converted by it.

A runtime may read an operation and compute another one, without a word. Made-up inputs show that,
once for each graph, version and machine.
"""

import math
from typing import Any

import numpy as np

from keras_dtl.convert.runtimes import openvino_session, remembered
from keras_dtl.convert.runtimes.graphs import ArtifactError
from keras_dtl.manifest import Manifest, Tensor

_SIDE = 64  # of an image that may have any size; also frames of a motion
_LARGE_SIDE = 264  # beyond which graphs take means in another way
ALLOWED = 1 / 255
"""By how much a float32 graph may differ between runtimes, as a share of what an output spans."""


def require_agreement(manifest: Manifest, session: Any, reference: Any, checksum: str) -> None:
    """Refuse a session that computes something else than another one.

    Args:
        manifest: Of the artifact, whose inputs and outputs both have.
        session: A session of OpenVINO.
        reference: One of onnxruntime.
        checksum: SHA-256 of the graph.

    Raises:
        ArtifactError: They differ, or one of them failed.
    """
    differences = [_difference(manifest, session, reference, feeds) for feeds in _probes(manifest)]
    largest = max(differences)
    if not largest <= ALLOWED:
        raise ArtifactError(
            f"OpenVINO {openvino_session.version()} computes something else than onnxruntime of "
            f"{manifest.name}: {largest:.3g} of the range of an output, {ALLOWED:.3g} is allowed. "
            "Choose the device cpu; or take it as it is by `--unmeasured`."
        )
    remembered.remember("agreement", _about(checksum), largest)


def is_known_to_agree(checksum: str) -> bool:
    """Whether this machine has compared a graph before, with this version.

    Args:
        checksum: SHA-256 of the graph.
    """
    found = remembered.recall("agreement", _about(checksum))
    return isinstance(found, float) and found <= ALLOWED


def _about(checksum):
    return [checksum, openvino_session.version(), remembered.processor()]


def _difference(manifest, session, reference, feeds):
    """Return the largest difference of an output, as a share of what it spans."""
    names = [tensor.name for tensor in manifest.outputs]
    received, expected = (one.run(names, feeds) for one in (session, reference))
    return max(map(_share, manifest.outputs, received, expected))


def _share(tensor, received, expected):
    if received.shape != expected.shape or not np.isfinite(expected).all():
        return math.inf
    wide = np.abs(received.astype("float64") - expected)
    if tensor.dtype == "uint8" and not tensor.is_image:
        return float(np.mean(wide > 0)) / 10  # numbers of classes: which they are, not how far off
    span = 255.0 if tensor.dtype == "uint8" else max(1.0, float(np.abs(expected).max()))
    return float(wide.max()) / span


def _probes(manifest):
    """Yield inputs by name: small ones, several at once, and a large one where sizes are free."""
    random = np.random.default_rng(0)
    yield {tensor.name: _array(tensor, manifest, random, 3, _SIDE) for tensor in manifest.inputs}
    image = manifest.inputs[0]
    if len(manifest.inputs) == 1 and image.is_image and None in image.shape[1:3]:
        yield {image.name: _array(image, manifest, random, 1, _LARGE_SIDE)}


def _array(tensor: Tensor, manifest, random, batch, side):
    multiple = manifest.preprocessing.size_multiple
    side = math.ceil(max(side, manifest.preprocessing.least_size) / multiple) * multiple
    sizes = [batch, *(side if size is None else size for size in tensor.shape[1:])]
    if tensor.is_image:
        return _picture(random, sizes)
    low, high = tensor.range or (-1.0, 1.0)
    if np.issubdtype(np.dtype(tensor.dtype), np.floating):
        return random.uniform(low, high, sizes).astype(tensor.dtype)
    return random.integers(int(low), int(high) + 1, sizes).astype(tensor.dtype)


def _picture(random, sizes):
    """Return images of coarse and fine structure: waves of several lengths, and some noise."""
    _, height, width, _ = sizes
    rows, columns = np.mgrid[:height, :width][..., None]
    waves = sum(np.sin(rows / length + columns / (2 * length)) for length in (2.0, 9.0, 31.0))
    noise = random.uniform(-20, 20, sizes)
    tint = random.uniform(0.5, 1.0, (sizes[0], 1, 1, sizes[3]))
    return np.clip(128 + 40 * waves * tint + noise, 0, 255).astype(np.uint8)
