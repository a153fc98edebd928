"""Digits over photo patches, the way MNIST-M is made from MNIST.

Reference: Ganin et al., Domain-Adversarial Training of Neural Networks, JMLR 17, 2016,
section 5.2.2.
"""

from collections.abc import Sequence

import numpy as np


def blend(
    digits: np.ndarray, photos: Sequence[np.ndarray], random: np.random.Generator
) -> np.ndarray:
    """Blend each digit over a random patch of a random photo: `|patch - digit|` per channel.

    Args:
        digits: uint8 array `(examples, height, width)`, bright strokes on black.
        photos: Sequence of uint8 arrays `(rows, columns, 3)`, none smaller than a digit.
        random: `numpy.random.Generator` that picks photos and positions.

    Returns:
        uint8 array `(examples, height, width, 3)`.
    """
    blended = np.empty((*digits.shape, 3), "uint8")
    for index, digit in enumerate(digits):
        patch = random_patch(photos[random.integers(len(photos))], digit.shape, random)
        difference = patch.astype("int16") - digit[..., np.newaxis]
        blended[index] = np.abs(difference)
    return blended


def random_patch(
    photo: np.ndarray, size: tuple[int, int], random: np.random.Generator
) -> np.ndarray:
    """Cut a patch from a random position of a photo.

    Args:
        photo: uint8 array `(rows, columns, 3)`.
        size: `(height, width)` of the patch in pixels.
        random: `numpy.random.Generator` that picks the position.

    Raises:
        ValueError: If the photo is smaller than the patch.
    """
    if photo.shape[0] < size[0] or photo.shape[1] < size[1]:
        raise ValueError(
            f"A photo of {photo.shape[0]}x{photo.shape[1]} pixels is smaller than the patch of "
            f"{size[0]}x{size[1]} to be cut from it. Leave such photos out."
        )
    top = random.integers(photo.shape[0] - size[0] + 1)
    left = random.integers(photo.shape[1] - size[1] + 1)
    return photo[top : top + size[0], left : left + size[1]]
