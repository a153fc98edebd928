"""Exported files against Keras, on the same random inputs, before anything is published."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_dtl.export.checks.exact import exact_outputs
from keras_dtl.export.deployable import Deployable
from keras_dtl.export.errors import ExportError
from keras_dtl.export.integers import Limits, random_integers
from keras_dtl.manifest import Preprocessing, Tensor

Arrays = dict[str, np.ndarray]
"""Arrays by name of the input or output."""

_BATCHES = (1, 3, 1)
_ANY_SIZE = Preprocessing()
_LARGE_SIDE = 264  # beyond the pixels up to which one sum is enough
_FLOAT_TOLERANCE = 1e-5
_LABEL_TOLERANCE = 1e-3  # share of labels: where two classes tie, rounding decides


@dataclasses.dataclass(frozen=True)
class Probe:
    """Inputs by name and what Keras makes of them, by name of the output.

    `exact` computes that in float64, where it can, of images of which float32 loses some.
    """

    inputs: Arrays
    outputs: Arrays
    exact: Callable[[], Arrays | None] = lambda: None


class Reading(NamedTuple):
    """A file, opened as a client would.

    Args:
        run: A function from arrays by name of the input to arrays by name of the output.
        signature: Which of the file's entry points it is, where there are several.
        probes: Those that it can be compared on; all by default.
    """

    run: Callable[[Arrays], Arrays]
    signature: str = ""
    probes: Sequence[Probe] | None = None


def make_probes(deployable: Deployable, preprocessing: Preprocessing = _ANY_SIZE) -> list[Probe]:
    """Run Keras on random inputs: two batch sizes and, where sizes are free, two image sizes.

    Args:
        deployable: A `Deployable`.
        preprocessing: The size that clients will use, or what free sizes must be.

    Returns:
        Three `Probe`s, the last of another image size where sizes are free.
    """
    random = np.random.default_rng(0)
    multiple = preprocessing.size_multiple
    first = preprocessing.resize or _image_size(preprocessing)
    second = (first[0] + multiple, first[1] + 2 * multiple)
    probes = []
    for batch, size in zip(_BATCHES, (first, first, second), strict=True):
        inputs = make_inputs(deployable, batch, size, random)
        probes.append(Probe(inputs, deployable.arrays(inputs)))
    if deployable.image is not None:
        probes += [
            _probe_of(deployable, images)
            for images in _telling_images(deployable.image, first, multiple)
        ]
    return probes


def make_inputs(
    deployable: Deployable,
    batch: int,
    size: tuple[int, int],
    random: np.random.Generator | None = None,
) -> Arrays:
    """Return random inputs by name.

    Args:
        deployable: A `Deployable`.
        batch: How many examples, 1 or more.
        size: `(height, width)` where these are free.
        random: Where the numbers come from; by default always the same.
    """
    random = random or np.random.default_rng(0)
    limits = deployable.integer_limits
    return {
        item.name: _sample(item, batch, size, random, limits.get(item.name))
        for item in deployable.inputs
    }


def _probe_of(deployable: Deployable, images: np.ndarray) -> Probe:
    inputs = {deployable.inputs[0].name: images}
    exact = functools.partial(exact_outputs, deployable, inputs)
    return Probe(inputs, deployable.arrays(inputs), exact)


def _telling_images(tensor: Tensor, size: tuple[int, int], multiple: int) -> Iterator[np.ndarray]:
    """Yield what noise does not show: hardly any and the highest contrast, and a large image."""
    shape = tuple(size[i] if n is None else n for i, n in enumerate(tensor.shape[1:3]))
    rows, columns = np.indices(shape)
    # Of an image without any contrast instance normalisation makes noise of rounding.
    even = 201 + np.random.default_rng(2).integers(0, 2, shape)
    halves, board = (rows > shape[0] // 3) * 255, (rows + columns) % 2
    planes = np.stack([even, halves, board * 255]).astype(np.uint8)
    yield np.ascontiguousarray(np.repeat(planes[..., None], tensor.shape[3], -1))
    if tensor.shape[1:3] == (None, None):
        side = math.ceil(_LARGE_SIDE / multiple) * multiple
        yield _sky(side, side + multiple, tensor.shape[3])


def _sky(height: int, width: int, channels: int) -> np.ndarray:
    """Return a large image of little contrast, of which naive sums lose the mean."""
    random = np.random.default_rng(1)
    noise = random.normal(0, 0.7, (height, width, 1))
    plane = 190 + np.linspace(0, 20, height)[:, None, None] + noise
    return np.repeat(plane.round().astype(np.uint8)[None], channels, -1)


def cut_probe(deployable: Deployable, images: np.ndarray, preprocessing: Preprocessing) -> Probe:
    """Return images of any size with what Keras makes of them, mirrored to its own and cut back.

    Args:
        deployable: A `Deployable` of one input, images.
        images: uint8 `(batch, height, width, channels)`.
        preprocessing: What sizes the model takes.
    """
    height, width = images.shape[1:3]
    multiple, least = preprocessing.size_multiple, preprocessing.least_size
    missing = [(0, max(-size % multiple, least - size)) for size in (height, width)]
    whole = np.pad(images, [(0, 0), *missing, (0, 0)], mode="reflect")
    name = deployable.inputs[0].name
    outputs = deployable.arrays({name: whole})
    for item in deployable.outputs:
        if item.shape[1:3] == (None, None):
            outputs[item.name] = outputs[item.name][:, :height, :width]
    return Probe({name: images}, outputs)


def _image_size(preprocessing: Preprocessing) -> tuple[int, int]:
    multiple = preprocessing.size_multiple
    height = math.ceil(max(32, preprocessing.least_size) / multiple) * multiple
    return height, height + multiple


def _sample(
    tensor: Tensor,
    batch: int,
    size: tuple[int, int],
    random: np.random.Generator,
    limits: Limits | None,
) -> np.ndarray:
    shape = (batch, *(size[i % 2] if n is None else n for i, n in enumerate(tensor.shape[1:])))
    if limits is None and tensor.dtype == "uint8":
        return random.integers(0, 256, shape, dtype=np.uint8)
    if limits is None and tensor.dtype.startswith("float"):
        return random.standard_normal(shape).astype(tensor.dtype)
    return random_integers(shape, limits, random).astype(tensor.dtype)


def compare(
    file: str,
    run: Callable[[Arrays], Arrays],
    probes: Sequence[Probe],
    outputs: Sequence[Tensor],
) -> list[dict[str, Any]]:
    """Compare what a file computes with what Keras computed.

    Images may differ by one level, probabilities by 1e-5, other floats by 1e-5 of the output's
    largest value where that exceeds 1, and labels in one of a thousand places. Where Keras itself
    is less exact, as TensorFlow's means over large planes are, float64 is what counts.

    Args:
        file: Its name in messages and records.
        run: A function from a dictionary of arrays to one of arrays.
        probes: A list of `Probe`.
        outputs: The model's output `Tensor`s.

    Returns:
        One record for each output: `file`, `output`, the largest `difference`, its `tolerance`
        and the `inputs` tried, such as `["1x28x28x3"]`.

    Raises:
        ExportError: An output is missing, of another shape or dtype, or differs by more.
    """
    results = [run(probe.inputs) for probe in probes]
    return [_record(file, output, list(zip(probes, results, strict=True))) for output in outputs]


def _record(file: str, output: Tensor, pairs: list[tuple[Probe, Arrays]]) -> dict[str, Any]:
    measured = []
    for probe, result in pairs:
        expected, received = probe.outputs[output.name], result.get(output.name)
        _check_kind(file, output.name, expected, received)
        found = _difference(output, expected, received)
        if _excess(found) > 1 and (exact := probe.exact()) is not None:
            found = min(found, _difference(output, exact[output.name], received), key=_excess)
        measured.append(found)
    # The worst by how much of its tolerance it uses; NaN is worse than anything.
    difference, tolerance = max(measured, key=_excess)
    if not difference <= tolerance:
        raise ExportError(
            f"{file}: output {output.name!r} differs from Keras by {difference:.3g}; at most "
            f"{tolerance:.3g} is allowed. Nothing was published. Look for layers that behave "
            "differently outside Keras, such as random ones, a Resizing of whole numbers, which "
            "are rounded (put Rescaling(1.0) before it), or operations on dynamic sizes."
        )
    return {
        "file": file,
        "output": output.name,
        "difference": float(difference),
        "tolerance": float(tolerance),
        "inputs": [_shapes(probe) for probe, _ in pairs],
    }


def _shapes(probe: Probe) -> str:
    return ", ".join("x".join(map(str, array.shape)) for array in probe.inputs.values())


def _excess(measurement: tuple[float, float]) -> float:
    difference, tolerance = measurement
    return math.inf if math.isnan(difference) else difference / tolerance


def _check_kind(file: str, name: str, expected: np.ndarray, received: np.ndarray | None) -> None:
    if received is None:
        raise ExportError(f"{file}: there is no output {name!r}. Nothing was published.")
    if (received.shape, received.dtype) != (expected.shape, expected.dtype):
        raise ExportError(
            f"{file}: output {name!r} is {received.dtype} of shape {received.shape}; Keras gives "
            f"{expected.dtype} of shape {expected.shape}. Nothing was published."
        )


def _difference(output: Tensor, expected: np.ndarray, received: np.ndarray) -> tuple[float, float]:
    """Return the largest difference and how much of it is allowed."""
    if expected.dtype.kind != "f" and not output.is_image:
        return float(np.mean(expected != received)), _LABEL_TOLERANCE
    difference = float(np.abs(expected.astype(np.float64) - received.astype(np.float64)).max())
    if output.is_image:
        return difference, 1.0
    largest = 1.0 if output.range == (0.0, 1.0) else max(1.0, float(np.abs(expected).max()))
    return difference, _FLOAT_TOLERANCE * largest


def axis_names(deployable: Deployable, probes: Sequence[Probe]) -> dict[str, list[str | None]]:
    """Name the free axes: `batch`, and `height` and `width` wherever they stay the same.

    Args:
        deployable: A `Deployable`.
        probes: Those of `make_probes`, whose sizes tell which axes are as long as each other.

    Returns:
        A list of names for each input and output, by its name, `None` for fixed axes.
    """
    single = len(deployable.inputs) == 1
    names, known = {}, {}
    for tensor in deployable.inputs:
        names[tensor.name] = _own_names(tensor, "" if single else f"{tensor.name}_")
        sizes = _observed_sizes(probe.inputs[tensor.name] for probe in probes)
        known |= dict(zip(sizes, names[tensor.name], strict=True))
    for tensor in deployable.outputs:
        own = _own_names(tensor, f"{tensor.name}_")
        sizes = _observed_sizes(probe.outputs[tensor.name] for probe in probes)
        # A free axis that was always as long as one of an input bears its name.
        names[tensor.name] = [
            name and known.get(size, name) for name, size in zip(own, sizes, strict=True)
        ]
    return names


def _observed_sizes(arrays: Iterable[np.ndarray]) -> list[tuple[int, ...]]:
    """Return for each axis the tuple of its sizes in all arrays."""
    return list(zip(*(array.shape for array in arrays), strict=True))


def _own_names(tensor: Tensor, prefix: str) -> list[str | None]:
    words = {4: ("height", "width", "channels"), 3: ("length", "channels")}.get(len(tensor.shape))
    words = words or [f"axis_{index}" for index in range(1, len(tensor.shape))]
    own = ["batch", *(prefix + word for word in words)]
    return [
        None if size is not None else name for name, size in zip(own, tensor.shape, strict=True)
    ]
