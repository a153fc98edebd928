"""Endless batches whose content depends on the seed and the step number alone.

The position in the data is the step number: a training that starts at step k sees exactly what an
uninterrupted one sees from step k on, with nothing to save and nothing to skip through.
"""

from collections.abc import Callable, Sized
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from keras_dtl.data.domain_checks import (
    check_examples,
    check_labelled,
    check_one_numbering,
    check_one_shape,
)
from keras_dtl.pipeline import pipeline_options


class Examples(Protocol):
    """What batches are made of: `LabelledImages` or `SegmentedImages`."""

    @property
    def labels(self) -> np.ndarray | None:
        """One integer for each image, or a map of them; `None` where they are not known."""
        ...

    def __len__(self) -> int: ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)` of every image."""
        ...

    def arrays(self) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return `(images, labels)`, or `images` alone when unlabelled."""
        ...

    def without_labels(self) -> "Examples":
        """Return the same images without labels."""
        ...


Arrays = np.ndarray | tuple[Any, ...] | dict[str, Any]
"""An array, or a tuple or dictionary of arrays, of equal length."""
Augment = Callable[[Any, tf.Tensor], Any]
"""From a batch and an int64 tensor `(2,)` that differs at each step to a batch."""


def endless_batches(
    examples: Examples,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
    augment: Augment | None = None,
) -> tf.data.Dataset:
    """Shuffle and batch labelled images for ever.

    Each pass over the data holds every example exactly once, in an order of its own. Batches run
    on across passes, so all have the full size, also where the data holds fewer images.

    Args:
        examples: `LabelledImages`.
        batch_size: Images in a batch.
        seed: Choice of the orders.
        first_step: The step of the first batch: to resume, the number of batches already seen.
        augment: `augment(images, seed)`, from a uint8 tensor `(batch_size, height, width,
            channels)` and an int64 tensor `(2,)` that differs at each step, to images.

    Returns:
        Endless `tf.data.Dataset` of `(images, labels)`, or of images alone when unlabelled:
        uint8 `(batch_size, height, width, channels)` and int32 `(batch_size,)`.
    """
    change = None if augment is None else _images_only(augment, examples.labels is not None)
    return endless_arrays(examples.arrays(), batch_size, seed, first_step, change)


def endless_arrays(
    arrays: Arrays,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
    augment: Augment | None = None,
) -> tf.data.Dataset:
    """Shuffle and batch any arrays of equal length for ever, as `endless_batches` does.

    Args:
        arrays: An array, or a tuple or dictionary of arrays; entry i of each is one example.
        batch_size: Examples in a batch.
        seed: Choice of the orders.
        first_step: The step of the first batch.
        augment: `augment(batch, seed)`, from the whole batch and an int64 tensor `(2,)` that
            differs at each step, to a batch.

    Returns:
        Endless `tf.data.Dataset` of batches in the structure of `arrays`.
    """
    _check_positions(batch_size, first_step)
    order_seed, augment_seed = independent_seeds(seed, 2)
    tensors = tf.nest.map_structure(_on_cpu, arrays)
    length = _common_length(tensors)
    order = _endless_order(length, batch_size, order_seed, first_step)

    def batch_at(step, indices):
        batch = tf.nest.map_structure(lambda tensor: tf.gather(tensor, indices), tensors)
        return batch if augment is None else augment(batch, tf.stack([augment_seed, step]))

    steps = tf.data.Dataset.counter(first_step)
    # Gathering is too short to be worth a second thread; augmentation may not be.
    threads = None if augment is None else tf.data.AUTOTUNE
    dataset = tf.data.Dataset.zip(steps, order).map(batch_at, num_parallel_calls=threads)
    # Workers that share batches need not ask each other at every step whether there are more.
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    return dataset.with_options(pipeline_options()).prefetch(tf.data.AUTOTUNE)


def domain_batches(
    source: Examples,
    target: Examples | None,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
    target_labelled: Examples | None = None,
    augment: Augment | None = None,
    strong: Augment | None = None,
) -> tf.data.Dataset:
    """Batches of source and target for domain adaptation.

    Labels of `target` never enter a batch. Data sets of unequal length each repeat on their own.

    Args:
        source: Labelled images.
        target: Images of the other domain, labelled or not, or None to train on the source alone.
        batch_size: Images of each domain in a batch.
        seed: Choice of the orders, which are independent between the domains.
        first_step: The step of the first batch: to resume, the number of batches already seen.
        target_labelled: The few target images whose labels may be used, if any.
        augment: As for `endless_batches`; applied to every domain.
        strong: A stronger `augment`, for methods that compare an image with itself: the batches
            then hold the same images changed by it too, `"source_strong"` and `"target_strong"`.

    Returns:
        Endless `tf.data.Dataset` of `{"source": (images, labels), "target": images,
        "target_labelled": (images, labels)}`, without the keys whose data was not given.

    Raises:
        ValueError: If labels are missing or number the classes in different ways, or the domains'
            images differ in shape.
    """
    check_examples(source=source, target=target, target_labelled=target_labelled)
    domains = {
        "source": source,
        "target": None if target is None else target.without_labels(),
        "target_labelled": target_labelled,
    }
    check_labelled(source=source, target_labelled=target_labelled)
    check_one_numbering(source, target_labelled)
    check_one_shape(domains)
    seeds = independent_seeds(seed, len(domains))
    changes = augment if strong is None else _both_ways(augment, strong)
    streams = {
        name: endless_batches(examples, batch_size, stream_seed, first_step, changes)
        for (name, examples), stream_seed in zip(domains.items(), seeds, strict=True)
        if examples is not None
    }
    batches = tf.data.Dataset.zip(streams)
    return (batches if strong is None else batches.map(_name_strong)).with_options(
        pipeline_options()
    )


def _both_ways(augment: Augment | None, strong: Augment) -> Augment:
    """Return a change of images into a pair: changed weakly, or not at all, and strongly."""

    def change(images: tf.Tensor, seed: tf.Tensor) -> tuple:
        weak = images if augment is None else augment(images, seed)
        return weak, strong(images, seed + 1000)

    return change


def _name_strong(batch: dict) -> dict:
    (source, source_strong), labels = batch["source"]
    named = {"source": (source, labels), "source_strong": source_strong}
    if "target" in batch:
        named["target"], named["target_strong"] = batch["target"]
    if "target_labelled" in batch:
        (images, _), known = batch["target_labelled"]
        named["target_labelled"] = (images, known)
    return named


def ordered_batches(examples: Examples, batch_size: int) -> tf.data.Dataset:
    """Batch images once through, in order, for evaluation.

    Args:
        examples: `LabelledImages`.
        batch_size: Images in a batch; the last batch may hold fewer.

    Returns:
        Finite `tf.data.Dataset` of `(images, labels)`, or of images alone when unlabelled.
    """
    _check_positions(batch_size, 0)
    tensors = tf.nest.map_structure(_on_cpu, examples.arrays())
    dataset = tf.data.Dataset.from_tensor_slices(tensors).batch(batch_size)
    return dataset.with_options(pipeline_options()).prefetch(tf.data.AUTOTUNE)


def steps_per_epoch(examples: Sized, batch_size: int) -> int:
    """Number of full batches in one pass over `examples`, at least one.

    By convention the source's length defines an epoch, whatever the target's.

    Args:
        examples: `LabelledImages`, or anything that has a length.
        batch_size: Images in a batch, 1 or more.
    """
    return max(1, len(examples) // batch_size)


def _endless_order(length: int, batch_size: int, seed: int, first_step: int) -> tf.data.Dataset:
    """Positions `(batch_size,)` of each step's examples, from `first_step` on."""
    first_pass, seen = divmod(first_step * batch_size, length)

    def order_of(pass_number):
        order = tf.random.experimental.stateless_shuffle(
            tf.range(length, dtype=tf.int64), seed=tf.stack([seed, pass_number])
        )
        return order[tf.where(pass_number == first_pass, np.int64(seen), 0) :]

    passes = tf.data.Dataset.counter(first_pass).map(order_of).prefetch(1)
    return passes.rebatch(batch_size, drop_remainder=True)


def _images_only(augment: Augment, labelled: bool) -> Augment:
    if not labelled:
        return augment
    return lambda batch, seed: (augment(batch[0], seed), batch[1])


def independent_seeds(seed: int, count: int) -> list[int]:
    """Derive independent seeds: those of neighbouring seeds have nothing in common either.

    Args:
        seed: Any whole number of 0 or more.
        count: How many to derive.

    Returns:
        Whole numbers from 0 to below 2 ** 63.
    """
    states = np.random.SeedSequence(seed).generate_state(count, "uint64")
    return [int(state >> 1) for state in states]  # into the range of int64


def _on_cpu(array: np.ndarray) -> tf.Tensor:
    if isinstance(array, np.memmap) and array.flags.writeable and array.ctypes.data % 64 == 0:
        # The tensor is the mapped file itself: the system reads what a batch touches.
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    # The pipeline runs on the CPU; a copy on the accelerator would only be fetched back.
    with tf.device("CPU:0"):
        return tf.convert_to_tensor(array)


def _common_length(tensors: Any) -> int:
    lengths = {int(tensor.shape[0]) for tensor in tf.nest.flatten(tensors)}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"All arrays must hold the same number of examples, at least one, but hold "
            f"{sorted(lengths)}."
        )
    return lengths.pop()


def _check_positions(batch_size: int, first_step: int) -> None:
    if batch_size < 1 or first_step < 0 or batch_size != int(batch_size):
        raise ValueError(
            "The batch size must be a whole number of at least 1 and the first step at least 0. "
            f"Received: batch_size={batch_size}, first_step={first_step}."
        )
