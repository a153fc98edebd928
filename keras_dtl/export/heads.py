"""What the numbers of a model's head stand for, read from its compiled loss and its last layer."""

from typing import Any

import keras

from keras_dtl.export.errors import ExportError
from keras_dtl.layers import Answer, answer_of

_SAME_NUMBERS = ("Cast", "Flatten", "Identity", "Reshape")
"""Layers that leave the numbers they are given."""


def task_of(model: keras.Model, postprocessing: str | None = None) -> str | None:
    """Return what a model does, or `None` where nothing tells.

    Args:
        model: A method of this package, or a functional model.
        postprocessing: Of its head, where that is stated.

    Raises:
        ExportError: What its head's numbers stand for cannot be told.
    """
    try:
        if hasattr(model, "answer"):
            return model.answer(postprocessing).task
        if getattr(model, "task", None) or not _is_one_head(model):
            return getattr(model, "task", None)
        loss = _loss_of(model)
        if postprocessing is None and _gives_labels(model, loss):
            width, dense = model.output_shape[-1], len(model.output_shape) == 4
            return Answer("sigmoid", width, dense).task
        told = postprocessing or loss
        return answer_of(model.output_shape, loss, postprocessing).task if told else None
    except ValueError as error:
        raise ExportError(f"{type(model).__name__} cannot be exported: {error}") from error


def missing_postprocessing(
    model: keras.Model, stated: str | None = None, task: str | None = None
) -> str | None:
    """Return what makes an answer of a model's numbers, or `None` where nothing is missing.

    A loss that takes logits tells of a functional model that its softmax or sigmoid is missing;
    one sigmoid that the probability of no is.

    Args:
        model: A method of this package, or a functional model.
        stated: The postprocessing that was asked for, or `None`.
        task: What the model does, where that was stated.

    Raises:
        ExportError: The head's last layer does not fit what is asked for, the loss or the task.
    """
    if hasattr(model, "deployable") or not _is_one_head(model):
        return stated
    activation, width = squashing(model), model.output_shape[-1]
    if activation == "softmax" and width == 1:
        raise ExportError(
            "The model ends in a softmax over one number, which is 1 whatever the input. Train one "
            "logit with BinaryCrossentropy(from_logits=True), or a softmax over two numbers."
        )
    loss = _loss_of(model)
    logits = isinstance(loss, keras.losses.Loss) and bool(loss.get_config().get("from_logits"))
    if activation and (stated in ("softmax", "sigmoid") or (logits and stated is None)):
        asked = f"postprocessing={stated!r}" if stated else "its loss with from_logits=True"
        raise ExportError(
            f"The model ends in a {activation} already, and {asked} would take its probabilities "
            "for logits. Leave out one of the two: compile the loss without from_logits, or pass "
            "postprocessing='probabilities', which takes them as they are."
        )
    if stated is not None:
        return stated
    if logits:
        return _answer(model, loss).postprocessing
    return _of_probabilities(model, activation, loss, task)


def _loss_of(model: keras.Model) -> Any:
    """Return what was compiled, alone where it stands in a list or a dictionary of one."""
    loss = getattr(model, "loss", None)
    found = keras.tree.flatten(loss)
    return found[0] if len(found) == 1 else loss


def _of_probabilities(
    model: keras.Model, activation: str | None, loss: Any, task: str | None
) -> str | None:
    """Return what makes an answer where no loss says that the numbers are logits."""
    width, dense = model.output_shape[-1], len(model.output_shape) == 4
    if activation == "sigmoid" and width == 1:
        is_asked = task in ("classification", "segmentation") or _gives_labels(model, loss)
        return "probabilities" if is_asked else None
    if task == "classification" and width == 1 and not dense:
        raise ExportError(
            "A classification of one number must end in a sigmoid, so that it is the probability "
            "of yes. Pass postprocessing='sigmoid' where it is a logit, 'probabilities' where it "
            "is one already, or task='regression'."
        )
    if dense and width > 1 and _is_class_map(model, loss, task):
        return "probabilities" if activation else "softmax"
    return None


def _is_class_map(model: keras.Model, loss: Any, task: str | None) -> bool:
    """Whether the likeliest class of each pixel is what is asked for."""
    if task is not None or loss is None or _gives_labels(model, loss):
        return task == "segmentation"
    return _answer(model, loss).task == "segmentation"


def _answer(model: keras.Model, loss: Any) -> Answer:
    try:
        return answer_of(model.output_shape, loss)
    except ValueError as error:
        raise ExportError(f"{type(model).__name__} cannot be exported: {error}") from error


def _gives_labels(model: keras.Model, loss: Any) -> bool:
    """Whether a model ends in the sigmoid that a loss on probabilities of labels trains."""
    if squashing(model) != "sigmoid" or loss is None:
        return False
    try:
        one = keras.losses.get(loss)
    except ValueError:
        return False
    name = getattr(one, "__name__", type(one).__name__).replace("_", "").lower()
    return name in ("binarycrossentropy", "binaryfocalcrossentropy")


def squashing(model: keras.Model) -> str | None:
    """Return `"sigmoid"` or `"softmax"` where the one output of a model ends in it, or `None`.

    Args:
        model: A functional or Sequential model.
    """
    [tensor] = keras.tree.flatten(model.outputs)
    operation, index, _ = tensor._keras_history
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", type(operation).__name__).lower()
    if getattr(operation, "outputs", None) and isinstance(operation, keras.Model):
        return squashing(operation)
    if name in ("sigmoid", "softmax"):
        over = getattr(operation, "axis", -1) in (-1, len(tensor.shape) - 1)
        return name if name == "sigmoid" or over else None
    if (name == "linear" and isinstance(operation, keras.layers.Activation)) or (
        type(operation).__name__ in _SAME_NUMBERS
    ):
        [given] = keras.tree.flatten(operation._inbound_nodes[index].arguments.keras_tensors)
        return squashing(keras.Model(model.inputs, given))
    return None


def _is_one_head(model: keras.Model) -> bool:
    shape = getattr(model, "output_shape", None) if getattr(model, "inputs", None) else None
    return isinstance(shape, tuple) and len(shape) in (2, 4) and isinstance(shape[-1], int)
