"""Ranges of the flags that recipes share: a wrong value is one line, before anything is loaded."""

import math
import numbers

SMALLEST_IMAGE = 8
"""Side below which no network here has anything to look at."""
AT_LEAST_1 = ("epochs", "batch_size", "min_steps", "source_epochs", "source_size", "target_size")
AT_LEAST_0 = ("shots", "keep_versions", "encoder_rate", "seed")


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
    if name in AT_LEAST_0 and number < 0:
        return "0 or more"
    if name.endswith("learning_rate") and number <= 0:
        return "more than 0"
    if name == "image_size" and number < SMALLEST_IMAGE:
        return f"{SMALLEST_IMAGE} or more pixels"
    return None
