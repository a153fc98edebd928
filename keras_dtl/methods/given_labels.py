"""Labels that do not fit the classifier and its loss, refused in words before they train."""

import contextlib
import re

import keras
import numpy as np
import tensorflow as tf

SPARSE = (keras.losses.SparseCategoricalCrossentropy,)
ONE_HOT = (keras.losses.CategoricalCrossentropy, keras.losses.CategoricalFocalCrossentropy)
YES_NO = (keras.losses.BinaryCrossentropy, keras.losses.BinaryFocalCrossentropy)
_NO_CLASS = re.compile(r"label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)")
# As TensorFlow says it where operations are deterministic; the gradient's error hides the label.
_NO_ROW = re.compile(
    r"(?:indices\[\d+\] = (-?\d+) is not in|segment_ids\[\d+\] = \d+ is out of range) "
    r"\[0, \d+\)\s.*SparseSoftmaxCrossEntropyWithLogits"
)
_UNMET = re.compile(r"assertion failed: \[b?['\"]?(.*?)['\"]?\]", re.DOTALL)


def check_labels(x, y, loss, width) -> None:
    """Refuse labels, among what `fit` or `evaluate` is given, of another form than the loss reads.

    Of arrays the values are looked at, too; of data sets the form, and for yes and no, and for
    classes that are floats, those of the first batch.

    Args:
        x, y: As `fit` received them: arrays, or a data set of batches of labels beside images, or
            of domains.
        loss: What was compiled. Losses that are no cross-entropies of Keras take what they want.
        width: How many numbers the classifier gives.

    Raises:
        ValueError: Saying what was received, and what the loss wants.
    """
    in_floats = isinstance(loss, SPARSE) and any("float" in str(z.dtype) for z in _labels(x, y))
    if isinstance(x, tf.data.Dataset) and (isinstance(loss, YES_NO) or in_floats):
        x = next(iter(x), x)  # others are told by TensorFlow where they are met
    for labels in _labels(x, y):
        _check_form(labels, loss, width)
        if hasattr(labels, "__array__") and np.size(labels):
            _check_values(np.asarray(labels), loss, width)


def require_class_numbers(labels, name, classes=None) -> None:
    """Refuse labels that are not a whole number of a class for each example.

    Args:
        labels: Array, or what is known of those of a data set.
        name: Of the labels, for the message.
        classes: How many there are, or None where any number will do.

    Raises:
        ValueError: Saying what was received; of arrays also where a number is that of no class.
    """
    shape, dtype = tuple(labels.shape), keras.backend.standardize_dtype(labels.dtype)
    if len(shape) != 1 or not dtype.startswith(("int", "uint")):
        raise ValueError(
            f"`{name}` takes the whole number of a class for each example, of shape (batch,). "
            f"Received: {dtype} of shape {shape}. Pass labels.argmax(-1) of one-hot labels, "
            "labels[:, 0] of a column, labels.astype('int32') of floats."
        )
    if classes is None or not hasattr(labels, "__array__") or not shape[0]:
        return
    least, most = np.min(labels), np.max(labels)
    if least < 0 or most >= classes:
        raise ValueError(
            f"`{name}` must lie in 0..{classes - 1}, as the networks know {classes} classes. "
            f"Received: numbers in {least}..{most}."
        )


@contextlib.contextmanager
def faults_in_words(width=None):
    """Raise what TensorFlow says of a batch, pages of where and little of what, as `ValueError`.

    Args:
        width: How many numbers the one classifier gives, where labels are what its loss reads.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        known, unmet = (pattern.search(str(error)) for pattern in (_NO_CLASS, _UNMET))
        if found := known or _NO_ROW.search(str(error)):
            received = f"the label {found[1]}" if found[1] else "a label outside of them"
            if width is not None:
                raise ValueError(_no_class(received, width)) from error
            bound = f"0 to {int(found[2]) - 1}" if known else "0 on, less than there are classes"
            raise ValueError(
                f"Labels are whole numbers from {bound}, as the networks know them. Received: "
                f"{received}. Number the classes from 0, or build the networks for more."
            ) from error
        if unmet:
            raise ValueError(unmet[1]) from error
        raise


def _labels(x, y):
    """Yield labels, or what is known of them before they come."""
    if y is not None:
        yield from [y] if hasattr(y, "shape") else []
        return
    spec = x.element_spec if isinstance(x, tf.data.Dataset) else x
    known = (
        [spec.get(name) for name in ("source", "target_labelled")] if isinstance(spec, dict) else []
    )
    for part in known or [spec]:
        if isinstance(part, (tuple, list)) and len(part) > 1 and hasattr(part[1], "shape"):
            yield part[1]


def _check_form(labels, loss, width):
    shape = tuple(labels.shape)
    dtype = labels.dtype.name if hasattr(labels.dtype, "name") else str(labels.dtype)
    if dtype.startswith(("str", "object", "bytes")):
        raise ValueError(
            f"Labels must be numbers. Received: {dtype} of shape {shape}. Number the classes from "
            "0, such as by numpy.unique(labels, return_inverse=True)."
        )
    last = shape[-1] if len(shape) in (2, 4) else None
    if isinstance(loss, SPARSE) and last == width > 1:
        raise ValueError(
            f"{loss.name} takes the number of a class for each label. Received: labels of shape "
            f"{shape}, a number for each of {width} classes. Pass labels.argmax(-1), or compile "
            "CategoricalCrossentropy(from_logits=True)."
        )
    if isinstance(loss, ONE_HOT + YES_NO) and last != width and (last or width > 1):
        raise ValueError(
            f"{loss.name} takes labels of {width} numbers, as the classifier gives. Received: "
            f"labels of shape {shape}. For one of several classes compile "
            "SparseCategoricalCrossentropy(from_logits=True), or pass "
            f"keras.utils.to_categorical(labels, {width})."
        )


def _check_values(labels, loss, width):
    least, most = labels.min(), labels.max()
    if isinstance(loss, YES_NO) and (least < 0 or most > 1):
        raise ValueError(
            f"{loss.name} takes 0 for no and 1 for yes. Received: labels in {least}..{most}, by "
            "which it would never be least. Bring them to 0 and 1."
        )
    if not isinstance(loss, SPARSE):
        return
    if labels.dtype.kind == "f" and np.any(labels != np.floor(labels)):
        raise ValueError(
            f"{loss.name} takes whole numbers of classes. Received: labels in {least}..{most} that "
            "are none, of which the whole part would count."
        )
    is_void = labels == loss.get_config().get("ignore_class")
    wrong = labels[~is_void & ((labels < 0) | (labels >= width))]
    if wrong.size:
        received = f"the label {wrong.flat[0]}, {wrong.size} of {labels.size} labels"
        raise ValueError(_no_class(received, width))


def _no_class(received, width):
    return (
        f"The classifier gives {width} numbers, so labels are whole numbers from 0 to {width - 1}. "
        f"Received: {received}. Number the classes from 0, give the classifier as "
        "many outputs as there are classes, or name a label that does not count in "
        "SparseCategoricalCrossentropy(from_logits=True, ignore_class=...)."
    )
