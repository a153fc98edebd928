"""The model as clients see it: float32, with named inputs and outputs, at inference."""

import contextlib
import functools
import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_dtl.export.errors import ExportError
from keras_dtl.export.integers import Limits, integer_limits
from keras_dtl.layers import Answer, answer_of
from keras_dtl.layers.nesting import copy_weights, nested_layers
from keras_dtl.manifest import Tensor

_AUTOMATIC_INPUT = re.compile(r"(keras_tensor|input_layer|input)(_\d+)?")
_STYLES = re.compile("\x1b\\[[0-9;]*m")  # of terminals, in the errors of Keras
_HALF_PRECISION = ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16")


class Deployable:
    """A functional Keras model called by names, in inference mode.

    Args:
        model: A functional or Sequential model in float32, whose batch size is free.
        is_rebuilt: Whether it was trained in less than float32.
    """

    def __init__(self, model: keras.Model, is_rebuilt: bool = False):
        self.is_rebuilt = is_rebuilt
        if isinstance(model, keras.Sequential):  # has neither `output` nor names of outputs
            model = keras.Model(model.inputs, model.outputs, name=model.name)
        self.model = model
        output_shapes = [output.shape for output in keras.tree.flatten(model.output)]
        for shape in [tensor.shape for tensor in model.inputs] + output_shapes:
            if len(shape) == 0 or shape[0] is not None:
                raise ExportError(
                    f"The first axis of every input and output must be a free batch size; {shape} "
                    "is not. Build the model without batch_shape or batch_size, and begin a "
                    "Sequential with keras.Input(shape)."
                )
        self.inputs = _tensors(model.inputs, _input_names(model))
        taken = {item.name for item in self.inputs}  # a graph has one tensor of a name
        names = [f"{name}_out" if name in taken else name for name in _output_names(model)]
        self.outputs = _tensors(keras.tree.flatten(model.output), _unique_names(names))

    @property
    def specs(self) -> list[tf.TensorSpec]:
        """One `tf.TensorSpec` for each input, carrying its name."""
        return [tf.TensorSpec(item.shape, item.dtype, name=item.name) for item in self.inputs]

    @property
    def image(self) -> Tensor | None:
        """The input where it is the only one and a batch of images, else `None`."""
        return self.inputs[0] if len(self.inputs) == 1 and self.inputs[0].is_image else None

    @functools.cached_property
    def integer_limits(self) -> dict[str, Limits]:
        """The lowest and highest value of inputs that are integers or indices, by their names."""
        layers = nested_layers(self.model)
        embeds = any(isinstance(layer, keras.layers.Embedding) for layer in layers)
        return integer_limits(self, self.inputs, with_floats=embeds)

    def arrays(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model on arrays, and return arrays.

        Args:
            inputs: Arrays by name of the input, the batch first.

        Raises:
            ExportError: It cannot be run on them.
        """
        try:
            return {name: np.asarray(value) for name, value in self(inputs).items()}
        except (ValueError, tf.errors.OpError) as error:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in inputs.items())
            reason = " ".join(_STYLES.sub("", str(error)).split())
            raise ExportError(
                f"The model cannot be run on inputs of the shapes {shapes}: {reason}. Where it "
                "takes some sizes alone, pass `size_multiple`, `least_size` or `image_size`, or "
                "fix the size of its input. Nothing was published."
            ) from error

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Run the model at inference.

        Args:
            inputs: Tensors or arrays by name of the input, the batch first.

        Returns:
            Tensors by name of the output.
        """
        flat = [inputs[item.name] for item in self.inputs]
        outputs = self.model(keras.tree.pack_sequence_as(self.model.input, flat), training=False)
        return dict(
            zip([item.name for item in self.outputs], keras.tree.flatten(outputs), strict=True)
        )


def deployable_of(
    model: keras.Model, postprocessing: str | None = None, dtype: str | None = None
) -> Deployable:
    """Return what is exported of `model`, rebuilt in float32 where it was trained in less.

    Args:
        model: A model with a method `deployable()`, or a functional or Sequential one.
        postprocessing: What makes an answer of the head's numbers, see
            `keras_dtl.layers.answer_of`, or `None` where the model tells.
        dtype: Of the one input, or `None` for the model's own.

    Raises:
        ExportError: It is none of these, it cannot be rebuilt, or what its head's numbers stand
            for cannot be told.
        ValueError: The model takes no postprocessing.
    """
    if hasattr(model, "deployable"):
        model = _deployed(model, postprocessing, dtype)
    elif isinstance(model, keras.Model) and getattr(model, "inputs", None):
        model = _with_ends(model, postprocessing, dtype)
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ExportError(
            "Only functional Keras models, Sequential ones with an Input, and models with a "
            f"method deployable() can be exported; received {type(model).__name__}. Wrap it: "
            "keras.Model(inputs, model(inputs))."
        )
    _check_resizing(model)
    in_float32 = _in_float32(model)
    return Deployable(in_float32, is_rebuilt=in_float32 is not model)


def _check_resizing(model: keras.Model) -> None:
    """Refuse the layer that Keras cannot run in a graph where sizes are free."""
    if all(None not in tensor.shape[1:3] for tensor in model.inputs):
        return
    for layer in nested_layers(model):
        if isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation != "nearest":
            raise ExportError(
                f"The layer {layer.name!r}, UpSampling2D(interpolation={layer.interpolation!r}), "
                "cannot be exported for images of free sizes. Take interpolation='nearest', "
                "Conv2DTranspose or keras_dtl.layers.ResizeLike, or fix the size of the input."
            )


def _deployed(model: Any, postprocessing: str | None, dtype: str | None) -> keras.Model:
    stated = {"postprocessing": postprocessing, "dtype": dtype}
    stated = {name: value for name, value in stated.items() if value is not None}
    taken = inspect.signature(model.deployable).parameters
    if "postprocessing" in stated and "postprocessing" not in taken:
        raise ValueError(
            f"postprocessing is for classifiers; {type(model).__name__} tells itself what it "
            "answers. Leave it out."
        )
    try:
        return model.deployable(**{name: stated[name] for name in stated if name in taken})
    except NotImplementedError:
        raise
    except ValueError as error:
        raise ExportError(f"{type(model).__name__} cannot be exported: {error}") from error


def _with_ends(model: keras.Model, postprocessing: str | None, dtype: str | None) -> keras.Model:
    """Put a functional model between an input of another dtype and what makes an answer of it."""
    if isinstance(model, keras.Sequential):  # has no names of outputs
        model = keras.Model(model.inputs, model.outputs, name=model.name)
    one = len(model.inputs) == 1
    dtype = dtype if one and dtype != model.inputs[0].dtype else None
    if postprocessing is None and dtype is None:
        return model
    if postprocessing and len(model.outputs) != 1:
        raise ValueError("postprocessing is for models of one output.")
    given = [
        keras.Input(tensor.shape[1:], dtype=dtype or tensor.dtype, name=name)
        for tensor, name in zip(model.inputs, _input_names(model), strict=True)
    ]
    taken = given[0] if one else given
    outputs = model(keras.tree.pack_sequence_as(model.input, given))
    if postprocessing is None:
        return keras.Model(taken, _named(outputs, model), name=model.name)
    [numbers] = keras.tree.flatten(outputs)
    answer = answer_of(numbers.shape, postprocessing=postprocessing)
    answered = answer.tensor(numbers, pictured(answer, given))
    return keras.Model(taken, answered, name=model.name)


def pictured(answer: Answer, inputs: Sequence[Any]) -> Any:
    """Return the images whose size a map of classes has, or `None` where it keeps its own.

    Args:
        answer: The `keras_dtl.layers.Answer`.
        inputs: Tensors or arrays that a functional model takes.
    """
    is_map = answer.task == "segmentation" and len(inputs) == 1 and len(inputs[0].shape) == 4
    return inputs[0] if is_map else None


def _named(outputs: Any, model: keras.Model) -> Any:
    """Give the outputs of a call the names that they have in the model that was called."""
    if isinstance(outputs, dict):
        return outputs
    names = iter(_output_names(model))

    def named(output):
        name = next(names)
        if name == model.name:  # the call is of that name already
            return output
        return keras.layers.Identity(name=name, dtype="float32")(output)

    return keras.tree.map_structure(named, outputs)


def _in_float32(model: keras.Model) -> keras.Model:
    try:
        config = keras.saving.serialize_keras_object(model)
    except NotImplementedError as error:
        reason = " ".join(str(error).split("Please implement")[0].split())
        raise ExportError(
            f"The model cannot be saved, and so not exported: {reason} Let layers of its own "
            "return every argument from get_config; put a loop of keras.ops into such a layer."
        ) from error
    float32_config = _replace_half_precision(config)
    if float32_config == config:
        return model
    try:
        with float32_policy():
            rebuilt = keras.saving.deserialize_keras_object(float32_config)
    except (TypeError, ValueError) as error:
        raise ExportError(
            f"The model was built under a half precision policy and cannot be rebuilt in float32: "
            f"{error}. Register its own layers with keras.saving.register_keras_serializable and "
            "return every argument from get_config."
        ) from error
    copy_weights(model, rebuilt)
    return rebuilt


@contextlib.contextmanager
def float32_policy() -> Iterator[None]:
    """Build layers as in a fresh session: those made inside other layers take the global policy."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def _replace_half_precision(value: Any) -> Any:
    """Replace every half precision dtype and policy in a serialized model, however deep."""
    if isinstance(value, dict):
        return {key: _replace_half_precision(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_replace_half_precision(item) for item in value)
    return "float32" if isinstance(value, str) and value in _HALF_PRECISION else value


def _tensors(keras_tensors: Iterable[Any], names: Iterable[str]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(name, keras.backend.standardize_dtype(tensor.dtype), tuple(tensor.shape))
        for name, tensor in zip(names, keras_tensors, strict=True)
    )


def _input_names(model: keras.Model) -> list[str]:
    names = [tensor.name for tensor in model.inputs]
    if len(names) == 1 and _AUTOMATIC_INPUT.fullmatch(names[0]):
        return ["image"] if model.inputs[0].dtype == "uint8" else ["input"]
    return _unique_names(
        f"input_{index}" if _AUTOMATIC_INPUT.fullmatch(name) else name
        for index, name in enumerate(names)
    )


def _output_names(model: keras.Model) -> list[str]:
    if isinstance(model.output, dict):
        paths = (path for path, _ in keras.tree.flatten_with_path(model.output))
        return _unique_names("_".join(map(str, path)) for path in paths)
    return _unique_names(model.output_names)


def _unique_names(names: Iterable[str]) -> list[str]:
    """Make names that every format takes, and no two alike."""
    result = []
    for name in names:
        name = re.sub(r"\W", "_", name, flags=re.ASCII).lstrip("_") or "tensor"
        while name in result:
            name += "_2"
        result.append(name)
    return result
