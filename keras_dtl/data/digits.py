"""`digits` and `digits_m`: a domain shift that needs no download.

Both are made from what installed packages carry: the 1797 handwritten digits of scikit-learn, of
8x8 pixels, and the photos of scikit-learn and scikit-image. Splits and patches are fixed, so that
what is for testing is never trained on, whatever the seed of a training.
"""

from collections.abc import Iterator

import numpy as np

from keras_dtl.data.blending import blend
from keras_dtl.data.labelled import LabelledImages
from keras_dtl.data.splits import stratified_split
from keras_dtl.images import resize_image

# As in MNIST, a digit fills 20x20 pixels in the middle of 28x28.
DIGIT, MARGIN = 20, 4
# Enlarged eight pixels are blurred; ink is as sharp again, as a pen's, when grey is stretched.
SHARPENING = 2.0
CLASSES = tuple("0123456789")
# Adaptation needs many backgrounds: with the two photos of scikit-learn alone they form clusters
# of their own, and digits over them are aligned with the wrong ones.
PHOTOS = (
    *("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel"),
    *("hubble_deep_field", "retina", "rocket"),
)
# How many patches each digit is blended over.
BACKGROUNDS = {"train": 4, "test": 1}
# Photos are cut into tiles, one in five for testing: both splits see all of a photo's
# surroundings, but never the same pixel.
TILE = 64
TEST_TILES = 5


def plain_digits(split: str) -> LabelledImages:
    """Load scikit-learn's handwritten digits, enlarged to 28x28 pixels and three channels.

    Args:
        split: "train" (1438 images) or "test" (359 images).
    """
    images, labels = _split_digits(split)
    return LabelledImages(_as_rgb(images), labels, CLASSES)


def blended_digits(split: str) -> LabelledImages:
    """Load the same digits blended over photo patches, as MNIST-M is made from MNIST.

    The splits hold the same digits as those of `plain_digits`, and patches from disjoint parts of
    the photos.

    Args:
        split: "train" (5752 images, each digit over four patches) or "test" (359 images).
    """
    images, labels = (np.concatenate([x] * BACKGROUNDS[split]) for x in _split_digits(split))
    random = np.random.default_rng(0 if split == "train" else 1)
    return LabelledImages(blend(images, _photo_tiles(split), random), labels, CLASSES)


def _split_digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images `(examples, 28, 28)`, uint8, and labels `(examples,)`."""
    # Imported late: scikit-learn takes seconds, which other data sets need not pay.
    from sklearn.datasets import load_digits

    digits = load_digits()
    train, test = stratified_split(digits.target, test_fraction=0.2, seed=0)
    chosen = train if split == "train" else test
    small = np.round(digits.images[chosen] * (255 / 16)).astype("uint8")  # 0..16 -> 0..255
    return np.stack([_enlarge(image) for image in small]), digits.target[chosen]


def _enlarge(digit: np.ndarray) -> np.ndarray:
    large = resize_image(digit[..., np.newaxis], (DIGIT, DIGIT))[..., 0]
    sharp = np.clip((large - 127.5) * SHARPENING + 127.5, 0, 255).astype("uint8")
    return np.pad(sharp, MARGIN)


def _photo_tiles(split: str) -> list[np.ndarray]:
    tiles = [tile for photo in _photos() for tile in _tiles(photo)]
    for_test = np.arange(len(tiles)) % TEST_TILES == 0
    chosen = for_test if split == "test" else ~for_test
    return [tiles[index] for index in np.flatnonzero(chosen)]


def _photos() -> Iterator[np.ndarray]:
    import skimage.data
    from sklearn.datasets import load_sample_images

    yield from load_sample_images().images
    yield skimage.data.stereo_motorcycle()[0]
    for name in PHOTOS:
        photo = getattr(skimage.data, name)()
        yield photo if photo.ndim == 3 else _as_rgb(photo)


def _tiles(photo: np.ndarray) -> list[np.ndarray]:
    return [
        photo[top : top + TILE, left : left + TILE]
        for top in range(0, photo.shape[0] - TILE + 1, TILE)
        for left in range(0, photo.shape[1] - TILE + 1, TILE)
    ]


def _as_rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., np.newaxis], 3, axis=-1)
