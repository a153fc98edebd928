"""What was trained, as `predict` gives it: beside it every exported file is measured."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_dtl.export.checks.parity import Arrays, Probe
from keras_dtl.export.deployable import Deployable, pictured
from keras_dtl.export.errors import ExportError
from keras_dtl.layers import answer_of
from keras_dtl.manifest import Tensor

_MOST_EXAMPLES = 32
_LARGEST_WEIGHT = 1e18  # from 1.8e19 on its square is beyond float32
# A model that was trained in half precision is exported in float32.
_HALF_TOLERANCE = 0.1
_APART = 0.01


def example_arrays(examples: Any, deployable: Deployable, size_multiple: int = 1) -> Arrays:
    """Return examples by name of the input, as many as are compared.

    Args:
        examples: An array, or a list or a dictionary of arrays, batch first.
        deployable: The `Deployable`.
        size_multiple: What heights and widths of images are cut to multiples of.

    Raises:
        ValueError: They are not what the model takes.
    """
    names = [item.name for item in deployable.inputs]
    if isinstance(examples, dict):
        given = examples
    else:
        arrays = examples if isinstance(examples, (list, tuple)) else [examples]
        given = dict(zip(names, arrays, strict=False)) if len(arrays) == len(names) else {}
    if sorted(given) != sorted(names):
        raise ValueError(f"examples must be arrays for the inputs {names}; received {list(given)}.")
    result = {}
    for item in deployable.inputs:
        array = np.asarray(given[item.name])
        _check_example(item, array)
        array = array[:_MOST_EXAMPLES].astype(item.dtype)
        if item.is_image and item.shape[1:3] == (None, None):
            height, width = (size // size_multiple * size_multiple for size in array.shape[1:3])
            array = array[:, :height, :width]
        result[item.name] = array
    return result


def _check_example(item: Tensor, array: np.ndarray) -> None:
    fits = array.ndim == len(item.shape) and all(
        wanted in (None, size) for size, wanted in zip(array.shape, item.shape, strict=True)
    )
    if not fits or 0 in array.shape:
        raise ValueError(
            f"examples of {item.name!r} must be of shape {item.shape}; received {array.shape}."
        )
    if item.dtype == "uint8" and array.dtype != np.uint8:
        raise ValueError(
            f"The model takes {item.name!r} as uint8; received examples of {array.dtype}. Keras "
            "would cut them to whole numbers, in training too: train on uint8 images, or build "
            "the network on keras.Input(shape) without dtype='uint8'."
        )
    if not item.dtype.startswith("float") and (array.astype(item.dtype) != array).any():
        raise ValueError(
            f"The model takes {item.name!r} as {item.dtype}, which does not hold the examples of "
            f"{array.dtype} that were received. Give whole numbers in its range, or build the "
            "network on floats."
        )


def predicted_probe(
    model: keras.Model, deployable: Deployable, inputs: Arrays, postprocessing: str | None = None
) -> Probe | None:
    """Return inputs with the answers that belong to what the model's own `predict` makes of them.

    Args:
        model: What was trained: a method of this package or a functional model.
        deployable: The `Deployable` of it.
        inputs: Arrays by name of the input.
        postprocessing: Of the head, where it was stated.

    Returns:
        A `Probe`, or `None` where `predict` computes something else than what is deployed.

    Raises:
        ExportError: What is deployed answers otherwise than what was trained.
    """
    flat = [inputs[item.name] for item in deployable.inputs]
    expected = _expected(model, flat, postprocessing)
    if expected is None:
        return None
    names = [item.name for item in deployable.outputs]
    probe = Probe(inputs, dict(zip(names, expected, strict=True)))
    if not deployable.is_rebuilt:
        return probe
    _check_roughly(deployable, probe)
    return None


def _expected(
    model: keras.Model, inputs: list[np.ndarray], postprocessing: str | None
) -> Sequence[np.ndarray] | None:
    if getattr(model, "answers", None) is not None:
        given = inputs[0] if len(inputs) == 1 else inputs
        options = {} if postprocessing is None else {"postprocessing": postprocessing}
        answer = model.answers(model.predict_on_batch(given), inputs, **options)
        return None if answer is None else [np.asarray(answer)]
    if hasattr(model, "deployable"):
        return None  # of another maker: its `predict` may be anything
    if isinstance(model, keras.Sequential):  # which has no `input` before it is called
        given = inputs[0]
    else:
        given = keras.tree.pack_sequence_as(model.input, inputs)
    predictions = model.predict_on_batch(given)
    arrays = [np.asarray(array) for array in keras.tree.flatten(predictions)]
    if postprocessing is None:
        return arrays
    answer = answer_of(arrays[0].shape, None, postprocessing)
    return [answer.array(arrays[0], pictured(answer, inputs))]


def _check_roughly(deployable: Deployable, probe: Probe) -> None:
    """Compare in what half precision leaves: a wrong head or scale is off by more."""
    received = deployable(probe.inputs)
    for name, expected in probe.outputs.items():
        ours = np.asarray(received[name]).astype("float64")
        largest = max(1.0, float(np.abs(expected.astype("float64")).max()))
        difference = float(np.abs(ours - expected).mean())
        if ours.shape != expected.shape or not difference <= _HALF_TOLERANCE * largest:
            raise ExportError(
                f"Output {name!r} in float32 differs from what the model predicts in half "
                f"precision by {difference:.3g} on average. Nothing was published."
            )


def check_finite(model: keras.Model) -> None:
    """Refuse a model whose weights are no numbers to compute with.

    Args:
        model: The model that is exported.

    Raises:
        ExportError: Weights are NaN or infinite, or so large that their squares are.
    """
    for weight in model.weights:
        values = np.asarray(weight.value)
        if values.dtype.kind != "f" and "float" not in values.dtype.name:
            continue
        values = values.astype("float64")
        bad = ~(np.abs(values) < _LARGEST_WEIGHT)  # NaN is not smaller either
        if bad.any():
            first = values[bad].flat[0]
            word = "not finite" if not math.isfinite(first) else "too large to compute with"
            raise ExportError(
                f"{int(bad.sum())} of {values.size} numbers of the weight {weight.path!r} are "
                f"{word}, such as {first:.4g}: the training diverged. Nothing was published. "
                "Train again with a smaller learning rate, or load weights from before."
            )


def check_finite_outputs(probes: Sequence[Probe]) -> None:
    """Refuse a model that answers with numbers that are not finite.

    Args:
        probes: Inputs and what Keras makes of them.

    Raises:
        ExportError: An output holds NaN or infinity.
    """
    for probe in probes:
        for name, values in probe.outputs.items():
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise ExportError(
                    f"Output {name!r} holds numbers that are not finite for inputs of "
                    f"{[array.shape for array in probe.inputs.values()]}. Nothing was published. "
                    "Look for a division by zero or an overflow, and train again."
                )


def check_examples_apart(deployable: Deployable, probes: Sequence[Probe]) -> None:
    """Refuse a model whose answer to an example depends on the others of its batch.

    Servers and conversions put those together that happen to come.

    Args:
        deployable: The `Deployable`.
        probes: Inputs and what Keras makes of them; the first with several examples is taken.

    Raises:
        ExportError: The first example has another answer alone.
    """
    several = (probe for probe in probes if all(len(x) > 1 for x in probe.inputs.values()))
    probe = next(several, None)
    if probe is None:
        return
    alone = deployable({name: array[:1] for name, array in probe.inputs.items()})
    for item in deployable.outputs:
        expected, received = probe.outputs[item.name], np.asarray(alone[item.name])
        if len(expected) != len(next(iter(probe.inputs.values()))):
            raise ExportError(
                f"Output {item.name!r} is of shape {expected.shape} for a batch of "
                f"{len(next(iter(probe.inputs.values())))}: its first axis must be the batch."
            )
        wide = np.abs(expected[:1].astype("float64") - received)
        largest = max(1.0, float(np.abs(received.astype("float64")).max()))
        is_other = np.mean(wide > _APART * largest) > _APART  # where two classes tie, one pixel may
        if is_other and _repeats(deployable, probe, item.name):
            raise ExportError(
                f"Output {item.name!r} of an example depends on the others of its batch: alone it "
                f"differs by {wide.max():.3g}. Nothing was published. Look for means or sums over "
                "all axes, such as keras.ops.mean(x), and leave out the first."
            )


def _repeats(deployable: Deployable, probe: Probe, name: str) -> bool:
    """Whether a model answers a second time what it answered first: random ones do not."""
    again = np.asarray(deployable(probe.inputs)[name])
    return bool(np.allclose(again, probe.outputs[name], _APART, _APART))
