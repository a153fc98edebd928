"""The images of style transfer before and after it: sizes, starts and colours, in NumPy."""

import math

import numpy as np
import tensorflow as tf

from keras_dtl.images import resize_image

COLORS = ("style", "luminance", "histogram")
LUMINANCE = np.array([0.299, 0.587, 0.114], "float32")  # of red, green, blue; ITU-R BT.601
NOISE_MEAN, NOISE_DEVIATION = 127.5, 30.0


def check_image(image, name):
    """Refuse what is no RGB image of 8 bits.

    Raises:
        ValueError: Saying what was received and how to mend it.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
        received = f"{getattr(image, 'dtype', type(image).__name__)} of shape {np.shape(image)}"
        raise ValueError(
            f"{name} must be a uint8 array (height, width, 3) with values 0..255. Received: "
            f"{received}. keras_dtl.images.read_image reads one from any file."
        )
    if image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(
            f"{name} must be an RGB image (height, width, 3). Received: shape {image.shape}. "
            "Repeat a grey channel three times, and lay alpha over a background."
        )


def size_within(image, longer_side):
    """Return the `(height, width)` of an image whose longer side shall have so many pixels."""
    height, width = image.shape[:2]
    if longer_side is None:
        return height, width
    scale = longer_side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize_within(image, longer_side):
    """Return an image whose longer side has so many pixels."""
    return resize_image(image, size_within(image, longer_side))


def size_like(image, size, scale=1.0):
    """Return the `(height, width)` of an image that shall have `scale**2` times the pixels of size.

    The paper brings a style to the size of the content; its own proportions are kept here.
    """
    factor = scale * math.sqrt(math.prod(size) / math.prod(image.shape[:2]))
    return tuple(max(1, round(side * factor)) for side in image.shape[:2])


def to_float(image, size):
    """Return a uint8 image, resized, as a float32 batch of one."""
    return resize_image(image, size).astype("float32")[None]


def to_float_mask(mask, size):
    """Return a mask of any size as float32 `(1, *size, 1)` in 0..1.

    Args:
        mask: Array `(height, width)`: boolean, float in 0..1, or uint8 in 0..255.
        size: The `(height, width)` to resize to.

    Raises:
        ValueError: When it has another shape or is zero everywhere.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or not mask.any() or mask.dtype.kind not in "buf":
        raise ValueError(
            "A mask must be an array (height, width) of booleans, numbers in 0..1 or uint8, not "
            f"zero everywhere. Received: {mask.dtype} of shape {mask.shape}."
        )
    scaled = mask.astype("float32") / (255.0 if mask.dtype == np.uint8 else 1.0)
    if not (scaled.min() >= 0 and scaled.max() <= 1):
        raise ValueError(
            "The numbers of a mask must lie in 0..1. Received: "
            f"{scaled.min():g} to {scaled.max():g}."
        )
    return tf.image.resize(scaled[None, :, :, None], size, method="area").numpy()


def start_image(init, content, size, seed):
    """Return the float32 image `(1, *size, 3)` that optimisation starts from.

    Args:
        init: `"content"`, `"noise"` or a uint8 image.
        content: The content as a float batch of one of that size, or None.
        size: `(height, width)`.
        seed: Of the noise.
    """
    if isinstance(init, np.ndarray):
        check_image(init, "The image to start from")
        return to_float(init, size)
    if init == "content" and content is not None:
        return content
    if init in ("content", "noise"):
        random = np.random.default_rng(seed)
        noise = random.normal(NOISE_MEAN, NOISE_DEVIATION, (1, *size, 3))
        return noise.astype("float32")
    raise ValueError(f"`init` must be 'content', 'noise' or a uint8 image. Received: {init!r}")


def enlarge(image, size):
    """Return a float image of a smaller scale at the next size."""
    return tf.image.resize(image, size, method="bicubic").numpy()


def to_uint8(image):
    """Return the float batch of one as a uint8 image."""
    return np.clip(np.rint(image[0]), 0, 255).astype("uint8")


def prepare_colors(content, styles, colors):
    """Return content and styles with the colours they shall have before the transfer.

    Reference: Gatys, Bethge, Hertzmann & Shechtman, "Preserving Color in Neural Artistic Style
    Transfer", 2016.

    Args:
        content: uint8 image.
        styles: List of uint8 images.
        colors: `"style"` leaves them. `"luminance"` makes all grey, the styles with mean and
            deviation of the content. `"histogram"` gives each style the mean and covariance of
            the content's colours.
    """
    if colors not in COLORS:
        raise ValueError(f"`colors` must be one of {COLORS}. Received: {colors!r}")
    if colors == "style" or content is None:
        return content, styles
    if colors == "histogram":
        return content, [match_colors(style, content) for style in styles]
    grey = luminance(content)
    matched = [_match_moments(luminance(style), grey.mean(), grey.std()) for style in styles]
    return _as_rgb(grey), [_as_rgb(style) for style in matched]


def restore_colors(image, content, colors):
    """Return the result of a transfer; under `"luminance"` with the hues of the content."""
    if colors != "luminance" or content is None:
        return image
    content = resize_image(content, image.shape[:2])
    shift = luminance(image) - luminance(content)
    return np.clip(np.rint(content + shift[:, :, None]), 0, 255).astype("uint8")


def luminance(image):
    """Return the luminance `(height, width)` of an RGB image, 0..255."""
    return image.astype("float32") @ LUMINANCE


def match_colors(image, reference):
    """Give an image the mean and covariance of a reference's colours, by one linear map."""
    pixels, goal = (x.reshape(-1, 3).astype("float64") for x in (image, reference))
    matrix = _power(np.cov(goal.T), 0.5) @ _power(np.cov(pixels.T), -0.5)
    mapped = (pixels - pixels.mean(0)) @ matrix.T + goal.mean(0)
    return np.clip(np.rint(mapped), 0, 255).astype("uint8").reshape(image.shape)


def _power(covariance, exponent):
    values, vectors = np.linalg.eigh(covariance)
    # A grey image varies in one direction only: there is nothing to stretch in the others, nor to
    # stretch to.
    floor = max(values.max() * 1e-4, 1e-6)
    powers = np.where(values > floor, np.maximum(values, floor) ** exponent, 0.0)
    return (vectors * powers) @ vectors.T


def _match_moments(grey, mean, deviation):
    return (grey - grey.mean()) * (deviation / max(grey.std(), 1e-6)) + mean


def _as_rgb(grey):
    grey = np.clip(np.rint(grey), 0, 255).astype("uint8")
    return np.repeat(grey[:, :, None], 3, axis=2)
