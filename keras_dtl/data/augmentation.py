"""Random changes of uint8 image batches that depend on a seed alone, for `domain_batches`."""

import math

import tensorflow as tf


def random_affine(
    images: tf.Tensor,
    seed: tf.Tensor,
    rotation: float = 15.0,
    scale: tuple[float, float] = (0.75, 1.33),
    shift: float = 0.1,
    shear: float = 10.0,
) -> tf.Tensor:
    """Turn, stretch, slant and move each image by amounts of its own.

    What a border uncovers repeats the edge. Height and width stretch apart from each other.

    Args:
        images: uint8 tensor `(batch, height, width, channels)`.
        seed: int64 tensor `(2,)`; the same seed makes the same changes.
        rotation: Largest turn to either side, in degrees.
        scale: Smallest and largest factor of the size.
        shift: Largest move in each direction, as a share of the size.
        shear: Largest slant to either side, in degrees.

    Returns:
        uint8 tensor of the same shape.
    """
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    draw = tf.random.stateless_uniform((6, count), seed, minval=-1.0, maxval=1.0)
    angle, slant = math.radians(rotation) * draw[0], math.radians(shear) * draw[1]
    middle, spread = sum(map(math.log, scale)) / 2, (math.log(scale[1]) - math.log(scale[0])) / 2
    across, down = (tf.exp(-(middle + spread * draw[k])) for k in (2, 3))
    # From output to input positions, about the middle of the image.
    cosine, sine, tangent = tf.cos(angle), tf.sin(angle), tf.tan(slant)
    a, b = across * cosine, across * (cosine * tangent - sine)
    c, d = down * sine, down * (sine * tangent + cosine)
    x, y = (width - 1) / 2, (height - 1) / 2
    left = x - a * x - b * y + shift * width * draw[4]
    top = y - c * x - d * y + shift * height * draw[5]
    zeros = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, left, c, d, top, zeros, zeros], 1),
        output_shape=(height, width),
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )


def random_intensity(
    images: tf.Tensor,
    seed: tf.Tensor,
    scale: tuple[float, float] = (0.25, 1.5),
    offset: float = 0.5,
    negative: float = 0.5,
) -> tf.Tensor:
    """Stretch, shift and at random invert the intensities of each image, by amounts of its own.

    About the middle of the range, all channels of an image alike. What leaves 0..255 is cut off.

    Reference: French, Mackiewicz & Fisher, "Self-ensembling for Visual Domain Adaptation",
    ICLR 2018, who train on digits so.

    Args:
        images: uint8 tensor `(batch, height, width, channels)`.
        seed: int64 tensor `(2,)`; the same seed makes the same changes.
        scale: Smallest and largest factor of the contrast.
        offset: Largest shift to either side, as a share of half the range.
        negative: Share of the images that are inverted.

    Returns:
        uint8 tensor of the same shape.
    """
    draw = tf.random.stateless_uniform((3, tf.shape(images)[0], 1, 1, 1), seed)
    factor = scale[0] + (scale[1] - scale[0]) * draw[0]
    factor = tf.where(draw[1] < negative, -factor, factor)
    shift = offset * (2 * draw[2] - 1)
    centred = tf.cast(images, "float32") / 127.5 - 1
    changed = tf.round(127.5 * (factor * centred + shift + 1))
    return tf.cast(tf.clip_by_value(changed, 0, 255), "uint8")


def random_affine_and_intensity(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Apply `random_affine`, then `random_intensity`, each as it is by default.

    Args:
        images: uint8 tensor `(batch, height, width, channels)`.
        seed: int64 tensor `(2,)`; the same seed makes the same changes.

    Returns:
        uint8 tensor of the same shape.
    """
    return random_intensity(random_affine(images, seed), seed + 1)


AUGMENTATIONS = {
    "none": None,
    "affine": random_affine,
    "intensity": random_intensity,
    "both": random_affine_and_intensity,
}
"""By the name that recipes take."""
