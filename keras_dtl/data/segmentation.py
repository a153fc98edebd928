"""Images and the class of each of their pixels."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_dtl.data.mask_census import MaskCensus, void_share
from keras_dtl.data.mask_folders import Turns, segmentation_pairs
from keras_dtl.data.masks import (
    VOID,
    Classes,
    class_numbers,
    class_table,
    palette,
    read_classes,
    read_mask,
)
from keras_dtl.files import FilePath, readable_name
from keras_dtl.images import read_image, resize_image, resize_mask

logger = logging.getLogger("keras_dtl")


@dataclass(frozen=True, eq=False)
class SegmentedImages:
    """Images of one size with a class for each pixel, or without.

    It takes the place of `LabelledImages` in `domain_batches`, its labels being maps.

    Args:
        images: uint8 array `(examples, height, width, channels)`.
        labels: uint8 array `(examples, height, width)` of positions in `classes` or `VOID`, or
            None when unlabelled.
        classes: Class names in label order.
        colors: uint8 array `(classes, 3)`, in which maps are shown.

    Raises:
        ValueError: When sizes differ, or a label is neither a class nor `VOID`.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    colors: np.ndarray | None = None

    def __post_init__(self):
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or not len(self.images):
            raise ValueError(
                "Images must be uint8 of shape (examples, height, width, channels), at least one. "
                f"Received: {self.images.dtype} of shape {self.images.shape}."
            )
        if self.colors is None and self.classes:
            object.__setattr__(self, "colors", palette(len(self.classes)))
        if self.labels is not None:
            _check_maps(self.labels, self.images, self.classes)

    def __len__(self):
        return len(self.images)

    def __repr__(self):
        size = "x".join(map(str, self.image_shape))
        labels = "unlabelled" if self.labels is None else f"{len(self.classes)} classes"
        return f"<SegmentedImages: {len(self)} of {size}, {labels}>"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)` of every image."""
        return tuple(self.images.shape[1:])

    def arrays(self) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return `(images, labels)`, or `images` alone when unlabelled."""
        if self.labels is None:
            return self.images
        return self.images, self.labels.astype("int32")

    def without_labels(self) -> "SegmentedImages":
        """Return the same images without labels."""
        return SegmentedImages(self.images, None, self.classes, self.colors)

    def subset(self, indices: Sequence[int] | np.ndarray) -> "SegmentedImages":
        """Return some of the examples.

        Args:
            indices: Their positions, `(examples,)`, in the order wanted.
        """
        labels = None if self.labels is None else self.labels[indices]
        return SegmentedImages(self.images[indices], labels, self.classes, self.colors)


def load_segmentation(
    path: FilePath,
    split: str = "train",
    size: tuple[int, int] | None = None,
    sequences: Sequence[str] | None = None,
) -> SegmentedImages:
    """Load images and masks from a folder.

    The folder takes one of two forms:

    - `PATH/images/NAME.jpg` and `PATH/masks/NAME.png`, or the same below `PATH/train/` and
      `PATH/test/` (or another of `keras_dtl.data.layouts.SPLIT_NAMES`), or below `images/train/`
      and `masks/train/`. Masks hold class numbers in one channel or a palette, 255 for void, or
      colours. `PATH/classes.csv` names them.
    - Any, where `PATH/frames.csv` has the columns `image`, `label`, `split` and `sequence`, as
      CamVid's does here.

    `classes.csv` has the columns `id,name,r,g,b`; a class named void, unlabelled or ignore is
    void. Without the file the classes are the numbers that the masks hold; 255 is then refused
    where it is hardly void. Photos and masks are turned upright, each by its own EXIF; a mask
    without EXIF that lies as the stored pixels of its photo do is turned like it.

    Args:
        path: The folder.
        split: "train" or "test"; by `frames.csv`, whatever it names.
        size: `(height, width)` to resize to: images smoothly, masks by nearest neighbour.
        sequences: Names of sequences of `frames.csv` to take; all by default.

    Returns:
        `SegmentedImages`.

    Raises:
        FileNotFoundError: When a folder or the mask of an image is missing.
        ValueError: When an image and its mask differ in size, a mask is of a lossy format or
            holds a number or colour that `classes.csv` does not, 255 is hardly void, or nothing
            is found, as for the split "test" of a folder that is not split.
    """
    root = Path(path)
    pairs = segmentation_pairs(root, split, sequences)
    known = read_classes(root)
    images, masks, census, turns = [], [], MaskCensus(), Turns()
    for image_path, mask_path in pairs:
        image = read_image(image_path, 3)
        mask = turns.fit(read_mask(mask_path), image_path, mask_path, image.shape[:2])
        numbers = class_numbers(mask, known, mask_path)
        census.add(mask, numbers, mask_path)
        images.append(image if size is None else resize_image(image, size))
        masks.append(numbers if size is None else resize_mask(numbers, size))
    census.check(root, known)
    _note(root, census.counts, known, turns)
    table, names, colors = class_table(np.flatnonzero(census.counts).tolist(), known)
    return SegmentedImages(_stack(images), table[_stack(masks)], names, colors)


def _note(root: Path, counts: np.ndarray, known: Classes | None, turns: Turns) -> None:
    name, share = readable_name(root), void_share(counts)
    if share and (known is None or VOID not in known):
        logger.warning(
            "%s: %.1f %% of the pixels are void (255): neither learnt nor scored.",
            name,
            100 * share,
        )
    if turns.like_photo:
        logger.warning("%s: %d mask(s) turned like their photos.", name, len(turns.like_photo))
    if turns.unknown:
        logger.warning(
            "%s: %d photo(s) are turned by their EXIF and their masks have none: %s, for one, is "
            "taken to lie as the photo is seen.",
            name,
            len(turns.unknown),
            readable_name(turns.unknown[0]),
        )


def _stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
    sizes = sorted({_size(array) for array in arrays})
    if len(sizes) > 1:
        raise ValueError(
            f"The images have different sizes, for example {sizes[0]} and {sizes[1]} pixels. "
            "Pass a size (--image-size) to resize them all."
        )
    return np.stack(arrays)


def _size(array: np.ndarray) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"


def _check_maps(labels: np.ndarray, images: np.ndarray, classes: Sequence[str]) -> None:
    if labels.shape != images.shape[:3] or labels.dtype != np.uint8:
        raise ValueError(
            f"Labels must be uint8 of shape {images.shape[:3]}, one for each pixel. Received: "
            f"{labels.dtype} of shape {labels.shape}."
        )
    numbers = np.unique(labels)
    unknown = numbers[(numbers >= len(classes)) & (numbers != VOID)]
    if len(unknown) or len(classes) > VOID:
        raise ValueError(
            f"Labels must lie in 0..{len(classes) - 1} for {len(classes)} classes (at most {VOID})"
            f", or be {VOID}. Received: {unknown.tolist()}"
        )
