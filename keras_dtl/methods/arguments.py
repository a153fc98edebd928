"""Arguments of a method's constructor: numbers that can be none, and what a config holds."""

import inspect
import math
import numbers

import keras
import numpy as np


def check_numbers(method, arguments, keywords) -> None:
    """Refuse what no hyperparameter can be.

    What an argument takes follows from its default: a number, a whole number, or yes and no; one
    whose name ends in `_weight` takes a number or what stands for the default. No number here
    means anything below 0. Narrower ranges each method knows itself.

    Args:
        method: Class of the method.
        arguments, keywords: Of its constructor.

    Raises:
        ValueError: For what is no such number, such as NaN, an infinity or text.
    """
    try:
        given = inspect.signature(method).bind_partial(*arguments, **keywords).arguments
    except TypeError:  # the constructor itself says it better
        return
    given = {**given, **keywords}
    for name, default in _defaults(method).items():
        if name not in given or given[name] is default:
            continue
        expected = _expectation(name, given[name], default)
        if expected:
            raise ValueError(
                f"`{name}` of {method.__name__} must be {expected}. Received: {given[name]!r}"
            )


def _defaults(method):
    """Return `{argument: default}` of a class and its bases here, which it may pass them on to."""
    found = {}
    for kind in method.__mro__:
        if kind.__module__.startswith("keras_dtl.") and "__init__" in vars(kind):
            parameters = inspect.signature(kind.__init__).parameters.values()
            found = {**{p.name: p.default for p in parameters}, **found}
    return found


def _expectation(name, value, default):
    """Return in words what an argument should be, or None where it is."""
    if getattr(value, "shape", None) == ():  # NumPy's numbers, and variables of one number
        value = np.asarray(value).item()
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "True or False"
    is_weight = default is None and name.endswith("_weight")
    if (not is_weight and not isinstance(default, numbers.Real)) or name == "adaptation_weight":
        return None  # what else that one may be, the method says
    is_count = isinstance(default, int)
    kind = numbers.Integral if is_count else numbers.Real
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    if is_number and 0 <= value < math.inf:
        return None
    return f"a {'whole' if is_count else 'finite'} number of 0 or more"


def plain(value):
    """Return an argument as a config holds it."""
    if isinstance(value, keras.Variable):
        return keras.ops.convert_to_numpy(value).tolist()
    return keras.saving.serialize_keras_object(value)
