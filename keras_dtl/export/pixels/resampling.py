"""Resizing within TensorFlow's graph as `keras_dtl.images.resize_image` does it.

With the same filter in the same whole numbers. Pillow takes the height first where that is less
work, which rounds some pixels by one level otherwise.
"""

import functools
from typing import Any

import tensorflow as tf

_BITS = 22  # after the point, in Pillow's whole numbers


def resize(images: tf.Tensor, size: tuple) -> tf.Tensor:
    """Resize images with Pillow's antialiased bilinear filter.

    Args:
        images: uint8 tensor `(..., height, width, channels)` of 1, 3 or 4 channels, the fourth of
            which is alpha.
        size: The new `(height, width)`, numbers or scalar tensors.

    Returns:
        uint8 tensor `(..., *size, channels)`.
    """
    length = tf.stack(size)

    def resized():
        values, has_alpha = tf.cast(images, tf.int32), images.shape[-1] == 4
        if has_alpha:
            alpha = values[..., 3:]
            values = tf.concat([_product(values[..., :3], alpha), alpha], -1)
        for axis in (-2, -3):
            values = _along(values, axis, length[axis + 3])
        return tf.cast(_without_alpha(values) if has_alpha else values, tf.uint8)

    is_one = tf.reduce_all(tf.shape(images)[-3:-1] == length)
    return tf.cond(is_one, lambda: images, resized)


def _along(values: tf.Tensor, axis: int, length: tf.Tensor) -> tf.Tensor:
    """Resize along one axis, by the same whole numbers as Pillow."""
    places, weights = _windows()(tf.shape(values)[axis], length)
    last = axis == -2
    taken = tf.gather(values, places, axis=len(values.shape) + axis)
    # (..., length, window, channels) along the width, (..., length, window, width, channels) else
    weights = weights[:, :, None] if last else weights[:, :, None, None]
    total = tf.reduce_sum(taken * weights, -2 if last else -3)
    rounded = tf.bitwise.right_shift(total + (1 << (_BITS - 1)), _BITS)
    return tf.clip_by_value(rounded, 0, 255)


@functools.cache
def _windows() -> Any:
    """Return the function of many operations, which are traced once in a process."""
    with tf.init_scope():
        return _window.get_concrete_function()


@tf.function(input_signature=[tf.TensorSpec((), tf.int32)] * 2, autograph=False)
def _window(number: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return which numbers go into each new one, and with what weights: `(length, window)`."""
    scale = tf.cast(number, tf.float64) / tf.cast(length, tf.float64)
    support = tf.maximum(scale, 1.0)
    centres = (tf.cast(tf.range(length), tf.float64) + 0.5) * scale
    first = tf.maximum(tf.cast(centres - support + 0.5, tf.int32), 0)
    end = tf.minimum(tf.cast(centres + support + 0.5, tf.int32), number)
    places = first[:, None] + tf.range(tf.cast(tf.math.ceil(support), tf.int32) * 2 + 1)
    distance = (tf.cast(places, tf.float64) - centres[:, None] + 0.5) / support
    weights = tf.maximum(1.0 - tf.abs(distance), 0.0)
    weights = tf.where(places < end[:, None], weights, 0.0)
    weights /= tf.reduce_sum(weights, 1, keepdims=True)
    whole = tf.cast(weights * (1 << _BITS) + 0.5, tf.int32)
    return tf.minimum(places, number - 1), whole


def _product(color: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    product = color * alpha + 128
    return tf.bitwise.right_shift(tf.bitwise.right_shift(product, 8) + product, 8)


def _without_alpha(values: tf.Tensor) -> tf.Tensor:
    color, alpha = values[..., :3], values[..., 3:]
    divided = tf.minimum(255 * color // tf.maximum(alpha, 1), 255)
    color = tf.where((alpha == 0) | (alpha == 255), color, divided)
    return tf.concat([color, alpha], -1)


def resize_nearest(maps: tf.Tensor, size: tuple) -> tf.Tensor:
    """Resize maps to the nearest neighbour, as `keras_dtl.images.resize_mask` does.

    Args:
        maps: Tensor `(batch, height, width)`.
        size: The new `(height, width)`, numbers or scalar tensors.
    """
    for axis, length in ((1, size[0]), (2, size[1])):
        number, length = (tf.cast(n, tf.int64) for n in (tf.shape(maps)[axis], length))
        maps = tf.gather(maps, (2 * tf.range(length) + 1) * number // (2 * length), axis=axis)
    return maps


def mirror(images: tf.Tensor, multiple: int, least: int = 1) -> tf.Tensor:
    """Enlarge images to multiples below and at the right by mirroring.

    Args:
        images: Tensor `(batch, height, width, channels)`.
        multiple: Of which height and width shall be multiples, 1 or more.
        least: A multiple of it that they shall reach, or 1.
    """
    for axis in (1, 2):
        size = tf.shape(images)[axis]
        places = tf.range(tf.maximum((size + multiple - 1) // multiple * multiple, least))
        period = tf.maximum(2 * (size - 1), 1)
        there = places % period
        images = tf.gather(images, tf.minimum(there, period - there), axis=axis)
    return images
