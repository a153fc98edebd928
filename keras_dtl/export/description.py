"""What the manifest says of a model, and whether what the caller says of it fits."""

import dataclasses
import datetime
import math
import numbers
import operator
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from keras_dtl.export.checks.parity import Probe
from keras_dtl.export.deployable import Deployable
from keras_dtl.export.draft import Draft
from keras_dtl.export.errors import ExportError
from keras_dtl.files import resolved, write_json
from keras_dtl.manifest import DTYPES, Manifest, Preprocessing, Tensor
from keras_dtl.version import __version__


def describe(
    deployable: Deployable,
    directory: Path,
    task: str,
    classes: Sequence[str] | None,
    image_size: Sequence[int] | None,
    size_multiple: int = 1,
    least_size: int = 1,
) -> Manifest:
    """Return the manifest of a model before any of its files is written.

    Args:
        deployable: The `Deployable`.
        directory: The artifact, whose name becomes the model's.
        task: What the model does.
        classes: Names in the order of the model's last axis, or `None`.
        image_size: `(height, width)` in pixels that clients resize to, or `None`.
        size_multiple: Height and width must be multiples of it, 1 or more.
        least_size: Height and width must reach it, 1 or more.

    Raises:
        ExportError: A classifier does not have one output of a known number of classes, or a
            tensor holds what no client can send, such as texts.
        ValueError: Classes or size do not fit the model.
    """
    _check_types(deployable)
    image = deployable.image
    resize = _client_size(image, image_size)
    _check_multiples(resize, size_multiple, least_size)
    return Manifest(
        name=resolved(directory).name,
        task=task,
        version=next_version(directory),
        inputs=tuple(
            dataclasses.replace(item, range=(0.0, 255.0)) if item.dtype == "uint8" else item
            for item in deployable.inputs
        ),
        outputs=deployable.outputs,
        classes=_class_names(deployable, task, classes),
        preprocessing=Preprocessing(
            resize=resize,
            channels=image.shape[3] if image else None,
            size_multiple=size_multiple,
            least_size=least_size,
        ),
        files={},
        versions=_versions(),
        settings={},
        parity=(),
        metrics={},
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    )


def _check_types(deployable: Deployable) -> None:
    for item in (*deployable.inputs, *deployable.outputs):
        if item.dtype not in DTYPES:
            raise ExportError(
                f"{item.name!r} is of dtype {item.dtype}, which cannot be exported; tensors may "
                f"hold {', '.join(DTYPES)}. Look texts up before the model."
            )


def next_version(directory: Path) -> int:
    """Return the number that the next version of an artifact has, 1 where there is none.

    Args:
        directory: The artifact; it may be absent.
    """
    numbers = [int(path.name) for path in directory.glob("[0-9]*") if path.name.isdecimal()]
    return max(numbers, default=0) + 1


def _client_size(image: Tensor | None, image_size: Sequence[int] | None) -> tuple[int, int] | None:
    own = image.shape[1:3] if image else (None, None)
    if image_size is None:
        return None if None in own else own
    try:
        height, width = map(operator.index, image_size)
    except (TypeError, ValueError):
        height = width = 0
    if min(height, width) < 1:
        raise ValueError(
            f"`image_size` must be (height, width), two integers of 1 or more; received "
            f"{image_size!r}."
        )
    image_size = height, width
    if any(size is not None and size != given for size, given in zip(own, image_size, strict=True)):
        raise ValueError(
            f"image_size is {image_size}, but the model takes images of {own} (height, width)."
        )
    return image_size


def _check_multiples(size: tuple[int, int] | None, multiple: int, least: int) -> None:
    for name, value in {"size_multiple": multiple, "least_size": least}.items():
        if not isinstance(value, numbers.Integral) or value < 1:
            raise ValueError(f"`{name}` must be an integer of 1 or more; received {value!r}.")
    fitting = least % multiple == 0 or least == 1
    if size is not None:
        fitting = fitting and not any(side % multiple or side < least for side in size)
    if not fitting:
        raise ValueError(
            f"`least_size` and images must be multiples of `size_multiple`, and images at least "
            f"`least_size` high and wide; received {size or 'images of any size'}, "
            f"size_multiple={multiple} and least_size={least}."
        )


_VECTORS = ("classification", "multi_label_classification", "regression")
"""Tasks whose answer is one vector of named numbers."""


def _class_names(
    deployable: Deployable, task: str, classes: Sequence[str] | None
) -> tuple[str, ...] | None:
    if task in _VECTORS:
        outputs = deployable.outputs
        if len(outputs) != 1 or len(outputs[0].shape) != 2 or outputs[0].shape[1] is None:
            raise ExportError(
                f"A model for {task} must have one output of shape (batch, numbers); this "
                f"one has {[(item.name, item.shape) for item in outputs]}."
            )
        number = outputs[0].shape[1]
        classes = [str(index) for index in range(number)] if classes is None else classes
        if len(classes) != number:
            raise ValueError(f"{len(classes)} class names given, but the model has {number}.")
    return None if classes is None else _different_names(classes)


def _different_names(classes: Sequence[str]) -> tuple[str, ...]:
    """Return names as texts; answers are looked up by them, so that no two may be alike."""
    if isinstance(classes, (str, set, frozenset, Mapping)):  # whose order means nothing
        kind = type(classes).__name__
        raise ValueError(
            f"classes must be a list of names in the order of the model's output; received the "
            f"{kind} {classes!r}."
        )
    names = tuple(str(name) for name in classes)
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(
            f"classes must be different names; received {', '.join(map(repr, twice[:3]))} more "
            "than once. Give each class a name of its own."
        )
    return names


def _versions() -> dict[str, str]:
    return {
        "keras_dtl": __version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "onnx": onnx.__version__,
        "tf2onnx": tf2onnx.__version__,
        "python": platform.python_version(),
    }


def output_ranges(manifest: Manifest, probes: Sequence[Probe]) -> tuple[Tensor, ...]:
    """Return the outputs with their ranges of values, which for probabilities are checked.

    Args:
        manifest: The `Manifest`.
        probes: What Keras makes of random inputs.

    Raises:
        ExportError: What should be probabilities leaves 0 to 1.
    """
    outputs = []
    for item in manifest.outputs:
        if item.dtype == "uint8":
            item = dataclasses.replace(item, range=(0.0, 255.0))
        elif item.name == "probabilities" or manifest.task in _VECTORS[:2]:
            values = np.concatenate([probe.outputs[item.name].ravel() for probe in probes])
            if not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):
                raise ExportError(
                    f"Output {item.name!r} must hold probabilities from 0 to 1; it reaches from "
                    f"{values.min():.3g} to {values.max():.3g}. End the model in a softmax, "
                    "or pass postprocessing='softmax' where these are logits."
                )
            item = dataclasses.replace(item, range=(0.0, 1.0))
        outputs.append(item)
    return tuple(outputs)


def json_value(value: Any) -> Any:
    """Return a value as what JSON can hold.

    Args:
        value: Anything; keys of dictionaries become texts, arrays lists, numbers that are not
            finite `None`, and what JSON does not know its `str`.
    """
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return json_value(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def write_settings(draft: Draft, path: Path) -> None:
    """Write what the model was trained with.

    Args:
        draft: The `Draft`.
        path: The file to write.
    """
    write_json(path, draft.manifest.settings)
