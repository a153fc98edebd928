"""How near generated images are to the known answers, one by one."""

import keras
import numpy as np

from keras_dtl.evaluation.features import as_rgb

SSIM_SIDE = 11
"""Pixels of a side that the window of SSIM needs."""
_WINDOW_SIGMA = 1.5  # pixels


def absolute_error(images: np.ndarray, answers: np.ndarray) -> float:
    """Return the mean absolute difference in levels of 0..255.

    Args:
        images, answers: uint8 arrays `(n, height, width, channels)` of one shape.
    """
    images, answers = _pairs(images, answers)
    return float(np.abs(images - answers).mean())


def structural_similarity(images: np.ndarray, answers: np.ndarray) -> float:
    """Return the mean structural similarity (SSIM) of images with their answers: 1 is equality.

    Taken in each channel with a Gaussian window of deviation 1.5 pixels, cut off at 5 pixels, where
    it lies wholly inside.

    Reference: Wang, Bovik, Sheikh & Simoncelli, "Image Quality Assessment: From Error Visibility
    to Structural Similarity", IEEE TIP 2004.

    Args:
        images, answers: uint8 arrays `(n, height, width, channels)` of at least 11 pixels a side.
    """
    from skimage import metrics

    x, y = _pairs(images, answers)
    if min(x.shape[1:3]) < SSIM_SIDE:
        raise ValueError(f"SSIM needs images of 11 pixels a side. Received: shape {x.shape}.")
    settings = {"gaussian_weights": True, "sigma": _WINDOW_SIGMA, "use_sample_covariance": False}
    found = [
        metrics.structural_similarity(*pair, data_range=255, channel_axis=-1, **settings)
        for pair in zip(x, y, strict=True)
    ]
    return float(np.mean(found))


def perceptual_distance(
    network: keras.Model, images: np.ndarray, answers: np.ndarray, batch_size: int = 16
) -> float:
    """Return how differently a network sees images and their answers, in the manner of LPIPS.

    At every layer that halves the map, features are scaled to length 1 at each position; the
    squared distances are averaged over positions and summed over layers. Unlike LPIPS no weights
    are learnt on top, so figures compare only among themselves.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018.

    Args:
        network: Such as `feature_network` returns.
        images, answers: uint8 arrays `(n, height, width, channels)` of one size.
        batch_size: How many pairs are taken at once.
    """
    _pairs(images, answers)
    levels = keras.Model(network.input, _halving_maps(network))
    total = 0.0
    for start in range(0, len(images), batch_size):
        chosen = slice(start, start + batch_size)
        both = [levels(as_rgb(np.asarray(x[chosen])), training=False) for x in (images, answers)]
        for one, other in zip(*(keras.tree.flatten(maps) for maps in both), strict=True):
            difference = _unit_length(np.asarray(one)) - _unit_length(np.asarray(other))
            total += (difference**2).sum(-1).mean((1, 2)).sum()
    return float(total / len(images))


def _halving_maps(network):
    inner = max(network.layers, key=lambda layer: len(getattr(layer, "layers", ())))
    if getattr(inner, "layers", ()):
        raise ValueError(
            "A perceptual distance needs the maps of a flat network. Received: one with a network "
            f"inside, {inner.name!r}."
        )
    maps = [
        layer.output
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D) and max(layer.strides) > 1
    ]
    if not maps:
        raise ValueError("A perceptual distance needs a network with convolutions of stride 2.")
    return maps


def _unit_length(maps):
    return maps / (np.sqrt((maps**2).sum(-1, keepdims=True)) + 1e-10)


def brightness_correlation(images: np.ndarray, others: np.ndarray) -> float:
    """Return how alike light and dark lie in images and their partners: 1 alike, -1 inverted.

    The mean over pairs of the correlation of brightness over positions. Generators without pairs
    may settle on negatives, which a discriminator does not mind and the way back undoes.

    Args:
        images, others: uint8 arrays `(n, height, width, channels)` of one height and width.
    """
    x, y = (_brightness(np.asarray(part)) for part in (images, others))
    x, y = (part - part.mean(1, keepdims=True) for part in (x, y))
    norms = np.sqrt((x**2).sum(1) * (y**2).sum(1))
    return float(((x * y).sum(1) / np.maximum(norms, 1e-9)).mean())


def _brightness(images):
    return as_rgb(images).astype("float64").mean(-1).reshape(len(images), -1)


def _pairs(images, answers):
    images, answers = np.asarray(images), np.asarray(answers)
    if images.shape != answers.shape or images.ndim != 4 or not len(images):
        raise ValueError(
            "Images and answers must be arrays (n, height, width, channels) of one shape. "
            f"Received: {images.shape} and {answers.shape}."
        )
    return images.astype("float64"), answers.astype("float64")
