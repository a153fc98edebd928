"""Data that are none for a method, refused before they train without a word."""

import contextlib
import re
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_dtl.layers.nesting import nested_layers

SMALL_SCALE = 1 / 64
"""From here downwards a `Rescaling` is one of pixels in 0..255."""
_OUTSIDE = re.compile(r"label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)")


def refuse_scaled_twice(images, dtype, network) -> None:
    """Refuse floating images in 0..1 for a network that takes floats and divides them by itself.

    Args:
        images: Tensor or array.
        dtype: Their name of it.
        network: What they go into, or None.

    Raises:
        ValueError: When they are such, and the network holds a `Rescaling` of pixels.
    """
    if network is None or len(images.shape) != 4 or not dtype.startswith(("float", "bfloat")):
        return
    scaling = [
        layer.name
        for layer in nested_layers(network)
        if isinstance(layer, keras.layers.Rescaling) and np.max(layer.scale) <= SMALL_SCALE
    ]
    values = np.asarray(images, "float32") if scaling else np.array([2.0])
    if network.inputs[0].dtype == "uint8" or not (values.min() >= 0 and 0 < values.max() <= 1):
        return
    raise ValueError(
        f"Images are expected in 0..255: {network.name!r} scales them itself, in {scaling[0]!r}. "
        f"Received: {dtype} in {values.min():.3g}..{values.max():.3g}, which would be black to it. "
        "Leave out the division by 255."
    )


def refuse_domains(images) -> None:
    """Refuse a batch of domains where images alone are asked about.

    Raises:
        ValueError: When it is such a batch.
    """
    if isinstance(images, dict) and {"source", "target"} & set(images):
        raise ValueError(
            "Images alone are answered. Received: a batch of domains, a dictionary of "
            f"{sorted(images)}. Choose one, such as by "
            'predict(batches.map(lambda batch: batch["target"])).'
        )


def require_ends(given: dict) -> None:
    """Refuse data sets without end where nobody says how much of them is an epoch.

    Args:
        given: Arguments of `keras.Model.fit` by name.

    Raises:
        ValueError: When the first epoch, or its validation, would never end.
    """
    for data, steps in (("x", "steps_per_epoch"), ("validation_data", "validation_steps")):
        x = given.get(data)
        if given.get(steps) is not None or not isinstance(x, tf.data.Dataset):
            continue
        if x.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError(
                f"The data set has no end, and so its first epoch would have none. Pass `{steps}`, "
                "such as keras_dtl.data.steps_per_epoch(source, batch_size)."
            )


@contextlib.contextmanager
def labels_told() -> Iterator[None]:
    """Be the context of steps whose labels may be none of the classes, which it tells in words.

    Raises:
        ValueError: In place of TensorFlow's error, which it raises on CPUs alone: on GPUs the loss
            is no number.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = _OUTSIDE.search(error.message or "")
        if found is None:
            raise
        label, classes = int(found[1]), int(found[2])
        raise ValueError(
            f"Labels are numbers of the classes, here 0..{classes - 1}: the classifier has "
            f"{classes} outputs. Received: the label {label}. Number the classes from 0, leave out "
            "images that have none, or give the classifier as many outputs as there are classes."
        ) from None
