"""`digits` and `digits_m`: a domain shift that needs no download.

Both are made from what scikit-learn carries: 1797 handwritten digits of 8x8 pixels and two
photos. Splits and patches are fixed, so that what is for testing is never trained on, whatever
the seed of a training.
"""

import numpy as np

from keras_dtl.data.blending import blend
from keras_dtl.data.labelled import LabelledImages
from keras_dtl.data.splits import stratified_split
from keras_dtl.images import resize_image

SIZE = (28, 28)
CLASSES = tuple("0123456789")
# Photos are cut into tiles, one in five for testing: both splits see all of a photo's
# surroundings, but never the same pixel.
TILE = 64
TEST_TILES = 5


def plain_digits(split: str) -> LabelledImages:
    """Load scikit-learn's handwritten digits, enlarged smoothly to 28x28 and three channels.

    Args:
        split: "train" (1438 images) or "test" (359 images).
    """
    images, labels = _split_digits(split)
    return LabelledImages(np.repeat(images[..., np.newaxis], 3, axis=-1), labels, CLASSES)


def blended_digits(split: str) -> LabelledImages:
    """Load the same digits blended over photo patches, as MNIST-M is made from MNIST.

    The splits hold the same digits as those of `plain_digits`, and patches from disjoint parts of
    the photos.

    Args:
        split: "train" (1438 images) or "test" (359 images).
    """
    images, labels = _split_digits(split)
    random = np.random.default_rng(0 if split == "train" else 1)
    return LabelledImages(blend(images, _photo_tiles(split), random), labels, CLASSES)


def _split_digits(split):
    """Return images `(examples, 28, 28)`, uint8, and labels `(examples,)`."""
    # Imported late: scikit-learn takes seconds, which other data sets need not pay.
    from sklearn.datasets import load_digits

    digits = load_digits()
    train, test = stratified_split(digits.target, test_fraction=0.2, seed=0)
    chosen = train if split == "train" else test
    small = np.round(digits.images[chosen] * (255 / 16)).astype("uint8")  # 0..16 -> 0..255
    images = [resize_image(image[..., np.newaxis], SIZE)[..., 0] for image in small]
    return np.stack(images), digits.target[chosen]


def _photo_tiles(split):
    from sklearn.datasets import load_sample_images

    tiles = [tile for photo in load_sample_images().images for tile in _tiles(photo)]
    for_test = np.arange(len(tiles)) % TEST_TILES == 0
    chosen = ~for_test if split == "train" else for_test
    return [tiles[index] for index in np.flatnonzero(chosen)]


def _tiles(photo):
    return [
        photo[top : top + TILE, left : left + TILE]
        for top in range(0, photo.shape[0] - TILE + 1, TILE)
        for left in range(0, photo.shape[1] - TILE + 1, TILE)
    ]
