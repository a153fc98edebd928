"""Ranges of the flags that recipes share: a wrong value is one line, before anything is loaded."""

import math
import numbers
import types
import typing
from pathlib import Path

SMALLEST_IMAGE = 8
"""Side below which no network here has anything to look at."""
AT_LEAST_1 = (
    *("epochs", "batch_size", "min_steps", "source_epochs", "source_size", "target_size"),
    *("window", "stride", "filters", "content", "style", "units", "code", "blocks"),
    *("measure_every", "load_size", "style_size", "classifier_steps", "classifier_filters"),
)
AT_LEAST_0 = (
    *("shots", "keep_versions", "encoder_rate", "seed"),
    *("held_out", "pool_size", "modes", "lead_in_frames"),
)
ABOVE_0 = ("rate", "rates", "clip_norm")
SHARES = ("test_share", "decay_start", "view_noise", "copied_share", "classifier_shift")


def check_flags(recipe) -> None:
    """Refuse numbers that no training can work with.

    Args:
        recipe: Any `Recipe`; fields that it lacks, or leaves open, are passed over.

    Raises:
        ValueError: Naming the flag, what was received and what is expected.
    """
    for name, value in vars(recipe).items():
        for number in value if isinstance(value, tuple) else (value,):
            if not isinstance(number, numbers.Real) or isinstance(number, bool):
                continue
            expected = _expectation(name, number)
            if expected:
                flag = name.replace("_", "-")
                raise ValueError(f"--{flag} must be {expected}. Received: {value}")


def _expectation(name, number):
    """Return in words what a flag should be, or None where it is."""
    if not math.isfinite(number):
        return "a finite number"
    if name in AT_LEAST_1 and number < 1:
        return "1 or more"
    if (name in AT_LEAST_0 or name.endswith(("_weight", "_weights"))) and number < 0:
        return "0 or more"
    if (name in ABOVE_0 or name.endswith("learning_rate")) and number <= 0:
        return "more than 0"
    if name in SHARES and not 0 <= number <= 1:
        return "in 0..1"
    if name == "fourier" and not 0 <= number <= 0.5:
        return "in 0..0.5"
    if name == "image_size" and number < SMALLEST_IMAGE:
        return f"{SMALLEST_IMAGE} or more pixels"
    return None


def check_jit(recipe, model) -> None:
    """Refuse a model that Keras would train without XLA, where `--jit on` asks for it.

    Args:
        recipe: The `Recipe`.
        model: What its `build_model` returned, compiled.

    Raises:
        ValueError: Naming the layers that XLA does not compile.
    """
    if not recipe.jit_compile or model.jit_compile:
        return
    from keras_dtl.layers.nesting import nested_layers

    layers = [layer.name for layer in nested_layers(model) if not layer.supports_jit]
    reason = f"the layers {', '.join(layers)}" if layers else "a step of deterministic operations"
    raise ValueError(f"--jit on: Keras does not compile {reason} with XLA. Leave --jit out.")


def is_of_type(value: typing.Any, hint: typing.Any) -> bool:
    """Return whether a value of JSON may be that of a field of a recipe.

    Args:
        value: The value; lists as tuples.
        hint: The field's type.
    """
    kind, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind in (typing.Union, types.UnionType):
        return any(is_of_type(value, one) for one in inner)
    if kind is typing.Literal:
        return any(value == one and type(value) is type(one) for one in inner)
    if kind is tuple:
        kinds = inner[:1] * len(value) if isinstance(value, tuple) and ... in inner else inner
        return (
            isinstance(value, tuple)
            and len(value) == len(kinds)
            and all(map(is_of_type, value, kinds))
        )
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, {float: (int, float), Path: str}.get(kind, kind))
