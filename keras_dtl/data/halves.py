"""A task divided in two by its classes."""

from collections.abc import Sequence

import numpy as np

from keras_dtl.data.labelled import LabelledImages, require_classes


def class_halves(
    classes: Sequence[str], seed: int = 0, first: Sequence[str] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Divide class names in two.

    Args:
        classes: All names.
        seed: Choice of a random half; with an odd number the second is larger.
        first: Names of the first half, where it is given, such as classes that resemble each
            other.

    Returns:
        `(first, second)`: two tuples of names in their order in `classes`.

    Raises:
        ValueError: When a half would have fewer than two classes, or a name is unknown.
    """
    classes = tuple(classes)
    if first is None:
        order = np.random.default_rng(seed).permutation(len(classes))
        first = [classes[index] for index in order[: len(classes) // 2]]
    unknown = [name for name in first if name not in classes]
    if unknown:
        raise ValueError(
            f"There is no class {', '.join(map(str, unknown))}. Expected some of: "
            f"{', '.join(classes)}."
        )
    halves = (
        tuple(name for name in classes if name in set(first)),
        tuple(name for name in classes if name not in set(first)),
    )
    if min(map(len, halves)) < 2:
        raise ValueError(
            f"Each half needs at least 2 classes. Received: {', '.join(halves[0]) or 'none'} "
            f"against {', '.join(halves[1]) or 'none'}, of {len(classes)} classes."
        )
    return halves


def only_classes(examples: LabelledImages, classes: Sequence[str]) -> LabelledImages:
    """Return the examples of some classes, numbered anew in the order of `classes`.

    Args:
        examples: `LabelledImages`.
        classes: Names of classes of theirs.

    Raises:
        ValueError: When the images are unlabelled, or there is none of one of these classes.
    """
    require_classes(examples)
    numbers = np.full(len(examples.classes), -1)
    for number, name in enumerate(classes):
        numbers[examples.classes.index(name)] = number
    labels = numbers[examples.labels]
    absent = [name for number, name in enumerate(classes) if not (labels == number).any()]
    if absent:
        raise ValueError(
            f"There is no image of the class {', '.join(absent)}, which this half needs. Add "
            "some, or divide the classes otherwise."
        )
    chosen = np.flatnonzero(labels >= 0)
    return LabelledImages(examples.images[chosen], labels[chosen], tuple(classes))
