"""Random changes of uint8 image batches that depend on a seed alone, for `domain_batches`."""

import math
from collections.abc import Callable

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


def random_crop(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirror half of the images, and cut out a part of 64 to 100 % of each, in its size again.

    The weak change of FixMatch and AdaMatch; for photos, not for digits or letters.

    Args:
        images: uint8 tensor `(batch, height, width, channels)`.
        seed: int64 tensor `(2,)`; the same seed makes the same changes.

    Returns:
        uint8 tensor of the same shape.
    """
    cut = random_affine(images, seed, rotation=0.0, scale=(1.0, 1.25), shift=0.08, shear=0.0)
    draw = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), seed + 1)
    return tf.where(draw < 0.5, tf.reverse(cut, [2]), cut)


def random_strong(
    images: tf.Tensor, seed: tf.Tensor, operations: int = 2, hole: float = 0.4
) -> tf.Tensor:
    """Change each image by some operations of RandAugment, and blot out a square of it.

    The strong change of FixMatch and AdaMatch: `random_crop`, then form or intensity, of its own
    for each image.

    Reference: Cubuk et al., "RandAugment: Practical automated data augmentation with a reduced
    search space", NeurIPS 2020; the square as in Sohn et al., "FixMatch", NeurIPS 2020.

    Differs from the paper: the operations chosen for an image are applied in the order of
    `OPERATIONS`, and all that change its form are one.

    Args:
        images: uint8 tensor `(batch, height, width, channels)`.
        seed: int64 tensor `(2,)`; the same seed makes the same changes.
        operations: How many of `OPERATIONS` change each image.
        hole: Largest side of the square as a share of the image's.

    Returns:
        uint8 tensor of the same shape.
    """
    images = random_crop(images, seed)
    order = tf.argsort(
        tf.random.stateless_uniform((tf.shape(images)[0], len(OPERATIONS)), seed + 2)
    )
    chosen = tf.argsort(order) < operations  # (batch, operations): which of them, by rank
    for index, operation in enumerate(OPERATIONS):
        changed = operation(images, seed + 3 + index)
        images = tf.where(chosen[:, index, None, None, None], changed, images)
    return random_hole(images, seed + 3 + len(OPERATIONS), hole)


def random_hole(images: tf.Tensor, seed: tf.Tensor, largest: float = 0.4) -> tf.Tensor:
    """Make a square of each image grey.

    Args:
        images: uint8 tensor `(batch, height, width, channels)`.
        seed: int64 tensor `(2,)`; the same seed makes the same changes.
        largest: Largest side of the square as a share of the image's.

    Returns:
        uint8 tensor of the same shape.
    """
    draw = tf.random.stateless_uniform((3, tf.shape(images)[0], 1, 1), seed)
    height, width = images.shape[1], images.shape[2]
    half = 0.5 * largest * draw[0]
    rows = tf.abs(tf.range(height, dtype="float32")[None, :, None] / height - draw[1]) < half
    columns = tf.abs(tf.range(width, dtype="float32")[None, None, :] / width - draw[2]) < half
    return tf.where((rows & columns)[..., None], tf.constant(127, "uint8"), images)


def _blend(dull_form: Callable) -> Callable:
    """Return an operation that moves images from a duller form by a factor of 0.1 to 1.9."""

    def operation(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        values = tf.cast(images, "float32")
        factor = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), seed, 0.1, 1.9)
        dull = dull_form(values)
        return tf.cast(tf.clip_by_value(tf.round(dull + factor * (values - dull)), 0, 255), "uint8")

    return operation


def _grey(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(values, -1, keepdims=True)


def _solarize(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    limit = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), seed, 0, 256)
    return tf.where(tf.cast(images, "float32") >= limit, 255 - images, images)


def _posterize(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    bits = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), seed, 1, 5, dtype="int32")
    step = tf.bitwise.left_shift(1, bits + 3)  # 16 to 128 levels become one
    return tf.cast(tf.cast(images, "int32") // step * step, "uint8")


def _stretch(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Stretch the intensities of each channel over the whole range."""
    values = tf.cast(images, "float32")
    low = tf.reduce_min(values, [1, 2], keepdims=True)
    span = tf.maximum(tf.reduce_max(values, [1, 2], keepdims=True) - low, 1.0)
    return tf.cast(tf.round((values - low) * 255 / span), "uint8")


def _invert(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    return 255 - images


def _turn(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    return random_affine(images, seed, rotation=30.0, scale=(0.85, 1.2), shift=0.2, shear=17.0)


OPERATIONS = (
    _turn,
    _blend(tf.zeros_like),  # brightness
    _blend(lambda values: tf.reduce_mean(_grey(values), [1, 2], keepdims=True)),  # contrast
    _blend(_grey),  # colour
    _blend(lambda values: tf.nn.avg_pool2d(values, 3, 1, "SAME")),  # sharpness
    _solarize,
    _posterize,
    _stretch,
    _invert,
)
"""What `random_strong` chooses from: functions of uint8 images and a seed."""


def random_mixed(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Change the first half of a batch by `random_strong`, the others by `random_crop`.

    Args:
        images: uint8 tensor `(batch, height, width, channels)`.
        seed: int64 tensor `(2,)`; the same seed makes the same changes.

    Returns:
        uint8 tensor of the same shape.
    """
    half = tf.shape(images)[0] // 2
    strong = random_strong(images[:half], seed)
    return tf.concat([strong, random_crop(images[half:], seed + 500)], 0)


AUGMENTATIONS = {
    "none": None,
    "crop": random_crop,
    "mixed": random_mixed,
    "strong": random_strong,
    "affine": random_affine,
    "intensity": random_intensity,
    "both": random_affine_and_intensity,
}
"""By the name that recipes take."""
