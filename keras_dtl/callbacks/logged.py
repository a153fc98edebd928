"""Logs of Keras as plain numbers."""

import numpy as np


def numbers(logs):
    """Return each number that was logged by its name.

    Args:
        logs: `{name: number}`, or None. Of metrics of several numbers, such as one of each class,
            they are `name_0`, `name_1` ...

    Returns:
        `{name: float}`.
    """
    found = {}
    for name, value in (logs or {}).items():
        if np.ndim(value):
            found |= {f"{name}_{k}": float(x) for k, x in enumerate(np.ravel(value))}
        else:
            found[name] = float(value)
    return found
