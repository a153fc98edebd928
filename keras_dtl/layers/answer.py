"""What the numbers of a network's head stand for: the answer that its loss taught it to give."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax

from keras_dtl.layers.class_map import ClassMap
from keras_dtl.layers.resize_like import ResizeLike

POSTPROCESSINGS = ("softmax", "sigmoid", "probabilities", "none")
_MOST_CLASSES = 255  # of a map in uint8, where 255 is void
_LOSSES = {
    "softmax": (
        *("SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
        "CategoricalFocalCrossentropy",
    ),
    "sigmoid": ("BinaryCrossentropy", "BinaryFocalCrossentropy"),
    "none": (
        *("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError"),
        *("MeanSquaredLogarithmicError", "Huber", "LogCosh"),
    ),
}


class Answer(NamedTuple):
    """How the numbers of a head become an answer.

    Args:
        postprocessing: `"softmax"`: one of several classes; `"sigmoid"`: one logit, yes or no, or
            several labels of which each may hold; `"probabilities"`: those of several classes, or
            one of yes, which the head gives already; `"none"`: the numbers themselves.
        width: How many numbers the head gives, for each example or for each pixel.
        dense: Whether it gives them for each pixel.
    """

    postprocessing: str
    width: int
    dense: bool = False

    @property
    def task(self) -> str:
        """The task of a model that gives this answer, such as `"classification"`."""
        single = self.postprocessing in ("softmax", "probabilities") or self.width == 1
        if self.postprocessing == "none":
            return "dense_regression" if self.dense else "regression"
        if self.dense:
            return "segmentation" if single else "multi_label_segmentation"
        return "classification" if single else "multi_label_classification"

    def tensor(self, numbers, image=None):
        """Return the answer as the output of a Keras model.

        Args:
            numbers: Keras tensor `(batch, width)` or `(batch, height, width, width)`.
            image: Keras tensor whose height and width maps are brought to, or `None`.

        Returns:
            Keras tensor: `probabilities`, where one logit becomes those of no and yes, `values`,
            or `class_map` `(batch, height, width)` in uint8.
        """
        if self.dense and image is not None:
            numbers = ResizeLike()(numbers, image)
        if self.postprocessing == "none":
            return keras.layers.Activation("linear", dtype="float32", name="values")(numbers)
        given = self.postprocessing == "probabilities"
        if self.width == 1:
            no = 1 - numbers if given else keras.ops.zeros_like(numbers)
            numbers = keras.ops.concatenate([no, numbers], -1)
        if self.task == "segmentation":
            return ClassMap(name="class_map")(numbers)
        if given:
            linear = keras.layers.Activation("linear", dtype="float32", name="probabilities")
            return linear(numbers)
        several = self.postprocessing == "sigmoid" and self.width > 1
        activation = "sigmoid" if several else "softmax"
        return keras.layers.Activation(activation, dtype="float32", name="probabilities")(numbers)

    def array(self, numbers, images=None):
        """Return the answer that belongs to what `predict` gave, computed in float64.

        Args:
            numbers: Array `(batch, width)` or `(batch, height, width, width)`.
            images: Array whose height and width maps are brought to, or `None`.

        Returns:
            Array as `tensor` describes it, float32 or uint8.
        """
        if self.dense and images is not None and numbers.shape[1:3] != images.shape[1:3]:
            numbers = tf.image.resize(numbers, images.shape[1:3])
        numbers = np.asarray(numbers, "float64")
        if self.postprocessing == "none":
            return numbers.astype("float32")
        given = self.postprocessing == "probabilities"
        if self.width == 1:
            no = 1 - numbers if given else np.zeros_like(numbers)
            numbers = np.concatenate([no, numbers], -1)
        if self.task == "segmentation":
            return numbers.argmax(-1).astype("uint8")
        if given:
            return numbers.astype("float32")
        if self.postprocessing == "sigmoid" and self.width > 1:
            return expit(numbers).astype("float32")
        return softmax(numbers, -1).astype("float32")


def answer_of(output_shape, loss=None, postprocessing=None):
    """Return the `Answer` that a head of logits gives.

    Args:
        output_shape: Of the head: `(batch, width)` or `(batch, height, width, width)`.
        loss: What was compiled: a Keras loss, its name, or `None` where nothing was. Then a head
            of several numbers is one of classes.
        postprocessing: One of `POSTPROCESSINGS`, where the loss does not tell or tells wrongly.

    Raises:
        ValueError: The loss does not tell, or the head does not fit it; the message says what to
            state.
    """
    width, dense = output_shape[-1], len(output_shape) == 4
    if postprocessing is None:
        postprocessing = _postprocessing_of(loss, width)
    if postprocessing not in POSTPROCESSINGS:
        raise ValueError(
            f"`postprocessing` must be one of {', '.join(POSTPROCESSINGS)}. Received: "
            f"{postprocessing!r}"
        )
    if postprocessing == "softmax" and width == 1:
        raise ValueError(
            "A softmax over one number is 1 whatever the input. Received: a head of one number and "
            f"the loss {_name(loss)}. Train one logit with BinaryCrossentropy(from_logits=True), a "
            "number with MeanSquaredError, or pass postprocessing='sigmoid' or 'none'."
        )
    answer = Answer(postprocessing, width, dense)
    if answer.task == "segmentation" and width > _MOST_CLASSES:
        raise ValueError(
            f"A class map holds numbers from 0 to {_MOST_CLASSES - 1}. Received: {width} classes. "
            "Merge some of them, or pass postprocessing='none' for the numbers of each."
        )
    return answer


def _postprocessing_of(loss, width):
    if isinstance(loss, (list, tuple, dict)) and len(loss) == 1:
        [loss] = loss.values() if isinstance(loss, dict) else loss
    if loss is None and width > 1:
        return "softmax"
    for postprocessing, names in _LOSSES.items():
        if _name(loss) in names and _takes_logits(loss, postprocessing):
            return postprocessing
    raise ValueError(
        "What the head's numbers stand for cannot be told from the compiled loss. Received: "
        f"{_name(loss) or 'no loss'}, and a head of {width}. Pass postprocessing='softmax' (one "
        "of several classes), 'sigmoid' (yes or no, or several labels), 'probabilities' (which the "
        "head gives already) or 'none' (the numbers themselves); of cross-entropies compile the "
        "form with from_logits=True."
    )


def _name(loss):
    """Return the class name of a Keras loss, however it was given, or that of anything else."""
    if isinstance(loss, str):
        try:
            loss = keras.losses.get(loss)
        except ValueError:
            return loss
    if loss is None or isinstance(loss, keras.losses.Loss):
        return loss and type(loss).__name__
    name = getattr(loss, "__name__", type(loss).__name__)
    classes = [each for names in _LOSSES.values() for each in names]
    return next((each for each in classes if each.lower() == name.replace("_", "")), name)


def _takes_logits(loss, postprocessing):
    """Whether a loss reads logits; categories are the same either way, yes or no is not."""
    if postprocessing != "sigmoid":
        return True
    return isinstance(loss, keras.losses.Loss) and bool(loss.get_config().get("from_logits"))
