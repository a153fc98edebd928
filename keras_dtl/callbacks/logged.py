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


def number(logs, name):
    """Return the number that was logged by a name, or None.

    Args:
        logs: As `numbers` takes them.
        name: Of it; one of several numbers as `numbers` names it.

    Raises:
        ValueError: When several numbers were logged by it.
    """
    found = numbers(logs)
    if name not in found and name in (logs or {}):
        raise ValueError(
            f"One number is monitored. Received: {name!r}, which are {np.size(logs[name])}. Name "
            f"one of them, such as {name + '_0'!r}."
        )
    return found.get(name)
