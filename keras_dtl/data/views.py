"""Pairs and triples of images: two of one class or object, and one of any other."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_dtl.data.batches import endless_arrays, independent_seeds
from keras_dtl.data.labelled import LabelledImages, require_classes


def view_batches(
    examples: LabelledImages,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
    other: str | None = "any",
) -> tf.data.Dataset:
    """Batch triples for ever: an image, a different one of its class, and one more.

    Each pass shows every image once as `first`. Batches depend on the seed and the step alone.

    Args:
        examples: `LabelledImages`, whose every class has two images or more.
        batch_size: Triples in a batch.
        seed: Choice of the orders and partners.
        first_step: The step of the first batch.
        other: Where the third comes from: `"any"` class, as in Mathieu et al. (2016), a
            `"different"` one than the first's, or `None` for pairs.

    Returns:
        Endless `tf.data.Dataset` of `{"first", "second", "other"}`, uint8 images, and `"label"` of
        the first two and `"other_label"`, int32; without the third's where `other` is None.

    Raises:
        ValueError: When there are no labels, or a class has one image.
    """
    if other not in ("any", "different", None):
        raise ValueError(f"`other` must be 'any', 'different' or None. Received: {other!r}")
    require_partners(examples, 2 if other == "different" else 1)
    order = np.argsort(examples.labels, kind="stable")
    with tf.device("CPU:0"):
        images = tf.convert_to_tensor(examples.images[order])
        labels = tf.convert_to_tensor(examples.labels[order])
        counts = tf.cast(np.bincount(examples.labels), "int64")
    places, of_partners = independent_seeds(seed, 2)
    draw = _partners(labels, counts, other)

    def batch_of(positions, step_seed):
        chosen = draw(positions, tf.bitwise.bitwise_xor(step_seed, [np.int64(of_partners), 0]))
        batch = {name: tf.gather(images, at) for name, at in chosen.items()}
        batch["label"] = tf.gather(labels, positions)
        if other is not None:
            batch["other_label"] = tf.gather(labels, chosen["other"])
        return batch

    return endless_arrays(np.arange(len(order)), batch_size, places, first_step, batch_of)


def _partners(
    labels: tf.Tensor, counts: tf.Tensor, other: str | None
) -> Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]:
    """Return a function from positions of first images, sorted by class, to those of all three."""
    starts = tf.cumsum(counts, exclusive=True)
    total = int(labels.shape[0])

    def draw(positions, seed):
        positions = tf.cast(positions, "int64")
        of_second, of_third = tf.unstack(tf.random.split(seed, 2))
        label = tf.gather(labels, positions)
        start, count = tf.gather(starts, label), tf.gather(counts, label)
        # A step of 1 up to count - 1 round the class never comes back to the first.
        step = 1 + _draw_below(count - 1, of_second)
        chosen = {"first": positions, "second": start + (positions - start + step) % count}
        if other == "any":
            chosen["other"] = _draw_below(tf.fill(tf.shape(positions), np.int64(total)), of_third)
        elif other == "different":
            chosen["other"] = (start + count + _draw_below(total - count, of_third)) % total
        return chosen

    return draw


def _draw_below(limits: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draw whole numbers from 0 to below each limit."""
    shares = tf.random.stateless_uniform(tf.shape(limits), seed, dtype="float64")
    return tf.cast(shares * tf.cast(limits, "float64"), "int64")


def require_partners(examples: LabelledImages, classes: int = 1) -> None:
    """Check that `examples` are labelled, and that no class has but one image.

    Args:
        examples: `LabelledImages`.
        classes: How many classes there must be, 1 or more.

    Raises:
        ValueError: There are no labels, too few classes, or a class of one image.
    """
    require_classes(examples, classes)
    counts = np.bincount(examples.labels)
    alone = [examples.classes[label] for label in np.flatnonzero(counts == 1)]
    if alone:
        raise ValueError(
            f"Pairs need two images of each class, but there is only one of: {', '.join(alone)}. "
            "Add images of it, or leave the class out."
        )


def hold_out_classes(
    examples: LabelledImages, share: float, seed: int = 0
) -> tuple[LabelledImages, LabelledImages]:
    """Part whole classes from the others, to be seen in testing alone.

    Args:
        examples: `LabelledImages`.
        share: Share of the classes that are held out, in 0..1; rounded, and at least one.
        seed: Choice of the classes.

    Returns:
        `(kept, held_out)`, both `LabelledImages` with all class names.

    Raises:
        ValueError: When nothing would be kept.
    """
    require_classes(examples)
    classes = np.unique(examples.labels)
    count = max(1, round(share * len(classes)))
    if not 0 < share < 1 or count >= len(classes):
        raise ValueError(
            f"The share of classes held out must lie in 0..1 and leave some of the {len(classes)} "
            f"classes. Received: {share}"
        )
    chosen = np.random.default_rng(seed).choice(classes, count, replace=False)
    held = np.isin(examples.labels, chosen)
    return examples.subset(np.flatnonzero(~held)), examples.subset(np.flatnonzero(held))
