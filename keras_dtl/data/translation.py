"""Batches for image translation: pairs jittered together, or two domains each by itself."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_dtl.data.batches import Augment, endless_arrays, independent_seeds
from keras_dtl.data.catalogue import load, sided_path
from keras_dtl.data.folder_plan import folder_plan
from keras_dtl.data.names import divide_name
from keras_dtl.data.pairs import ImagePairs
from keras_dtl.files import FilePath
from keras_dtl.pipeline import pipeline_options

HELD_OUT = 10
"""One image in so many is for testing where a domain has no split of its own."""


def load_domain(
    name: str,
    train_size: int | Sequence[int],
    test_size: int | Sequence[int],
    channels: int = 3,
    side: str | None = None,
    **places: FilePath | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Load one domain of unpaired translation; labels, where there are any, are dropped.

    A flat folder has no test split: every tenth image of it, by name, is held out.

    Args:
        name: Name of a data set, as for `load`; most often `folder:PATH`.
        train_size, test_size: Sides to resize to, in pixels.
        channels: 1 (grey), 3 (RGB) or 4 (RGB with alpha, of a folder).
        side: "a" or "b": which domain of a data set of two to take, see `load`.
        **places: `data_dir` and `manual_dir`, as for `load`.

    Returns:
        `(train, test)`: uint8 arrays `(examples, height, width, channels)`.

    Raises:
        ValueError, OSError: As `load`; and when a flat folder holds too few images to hold one out.
    """
    train = load(name, "train", train_size, channels, side=side, **places).images
    if not is_held_out_of(name, side):
        return train, load(name, "test", test_size, channels, side=side, **places).images
    if len(train) < HELD_OUT:
        raise ValueError(
            f"{name} holds {len(train)} image(s); at least {HELD_OUT} are needed, of which one in "
            f"{HELD_OUT} is held out for testing. Add images, or sort them into train/ and test/."
        )
    test = load(name, "train", test_size, channels, side=side, **places).images[
        HELD_OUT - 1 :: HELD_OUT
    ]
    kept = [index for index in range(len(train)) if index % HELD_OUT != HELD_OUT - 1]
    return train[kept], test


def is_held_out_of(name: str, side: str | None = None) -> bool:
    """Return whether images for testing are held out of a domain, which has no split of its own.

    Args:
        name, side: As for `load_domain`.
    """
    prefix, path = divide_name(name)
    return prefix == "folder" and "test" not in folder_plan(sided_path(path, side)).parts


def paired_batches(
    pairs: ImagePairs,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
    augment: Augment | None = None,
) -> tf.data.Dataset:
    """Shuffle and batch pairs for ever; what `augment` does it does to both images alike.

    Args:
        pairs: `ImagePairs`.
        batch_size: Pairs in a batch.
        seed: Choice of the orders and of the augmentation.
        first_step: The step of the first batch: to resume, the number of batches already seen.
        augment: Such as `jitter` returns.

    Returns:
        Endless `tf.data.Dataset` of `(a, b)`, uint8 `(batch_size, height, width, channels)`.
    """
    return endless_arrays((pairs.a, pairs.b), batch_size, seed, first_step, augment)


def unpaired_batches(
    a: np.ndarray,
    b: np.ndarray,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
    augment: Augment | None = None,
) -> tf.data.Dataset:
    """Shuffle and batch two domains for ever, each in its own order and at its own length.

    Args:
        a, b: uint8 arrays `(examples, height, width, channels)`, of any two numbers of examples.
        batch_size, seed, first_step, augment: As for `paired_batches`.

    Returns:
        Endless `tf.data.Dataset` of `(a, b)`.
    """
    streams = [
        endless_arrays(images, batch_size, stream_seed, first_step, augment)
        for images, stream_seed in zip((a, b), independent_seeds(seed, 2), strict=True)
    ]
    return tf.data.Dataset.zip(tuple(streams)).with_options(pipeline_options())


def jitter(size: int | tuple[int, int], flip: bool = True) -> Augment:
    """Return an `augment` that crops images at random and mirrors half of them.

    All images of one example, such as both of a pair, are treated alike: they must be equally
    large.

    Args:
        size: Side of the cropped images in pixels, or `(height, width)`.
        flip: Whether left and right are exchanged in half of the examples.
    """
    height, width = (size, size) if isinstance(size, int) else size

    def augment(batch, seed):
        first = tf.nest.flatten(batch)[0]
        of_rows, of_columns, of_flips = tf.unstack(tf.random.split(seed, 3))
        rows = _windows(first, 1, height, of_rows)
        columns = _windows(first, 2, width, of_columns)
        if flip:
            flips = tf.random.stateless_uniform((tf.shape(first)[0], 1), of_flips) < 0.5
            columns = tf.where(flips, columns[:, ::-1], columns)

        def crop(images):
            images = tf.gather(images, rows, axis=1, batch_dims=1)
            return tf.gather(images, columns, axis=2, batch_dims=1)

        return tf.nest.map_structure(crop, batch)

    return augment


def _windows(images: tf.Tensor, axis: int, size: int, seed: tf.Tensor) -> tf.Tensor:
    """Return the positions `(batch, size)` of a random window of each image along an axis."""
    available = images.shape[axis]
    if available < size:
        raise ValueError(
            f"Images of {available} pixels cannot be cropped to {size}. Load them larger, or crop "
            "less."
        )
    starts = tf.random.stateless_uniform(
        (tf.shape(images)[0], 1), seed, 0, available - size + 1, "int32"
    )
    return starts + tf.range(size)
