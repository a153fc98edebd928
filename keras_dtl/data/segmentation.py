"""Images and the class of each of their pixels."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.files import FilePath
from keras_dtl.images import ImageError, find_images, read_image, readable_name, resize_image

VOID = 255
"""Number of pixels that belong to no class: neither learnt nor scored."""
FOLDERS = ("images", "masks")


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


def palette(count: int) -> np.ndarray:
    """Return colours that are told apart, none of them black.

    Args:
        count: How many, up to 255.

    Returns:
        uint8 array `(count, 3)` of red, green and blue.
    """
    colors = []
    for index in range(1, count + 1):
        channels = [0, 0, 0]
        for bit in range(8):
            channels[bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
        colors.append(channels)
    return np.array(colors, "uint8").reshape(count, 3)


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a map of class numbers by nearest neighbour.

    Args:
        mask: uint8 array `(height, width)`.
        size: `(height, width)` in pixels to resize to.
    """
    return np.array(Image.fromarray(mask).resize(size[::-1], Image.Resampling.NEAREST))


def load_segmentation(
    path: FilePath,
    split: str = "train",
    size: tuple[int, int] | None = None,
    sequences: Sequence[str] | None = None,
) -> SegmentedImages:
    """Load images and masks from a folder.

    The folder takes one of two forms:

    - `PATH/images/NAME.jpg` and `PATH/masks/NAME.png`, or the same below `PATH/train/` and
      `PATH/test/`. Masks are images of one channel (or of a palette) that hold class numbers,
      255 for void. `PATH/classes.csv` names them.
    - Any, where `PATH/frames.csv` has the columns `image`, `label`, `split` and `sequence`, as
      CamVid's does here.

    `classes.csv` has the columns `id,name,r,g,b`; a class named void, unlabelled or ignore is
    void. Without the file the classes are the numbers that the masks hold.

    Args:
        path: The folder.
        split: "train" or "test"; by `frames.csv`, whatever it names.
        size: `(height, width)` to resize to: images smoothly, masks by nearest neighbour.
        sequences: Names of sequences of `frames.csv` to take; all by default.

    Returns:
        `SegmentedImages`.

    Raises:
        FileNotFoundError: When a folder or the mask of an image is missing.
        ValueError: When an image and its mask differ in size, a mask holds a number that
            `classes.csv` does not, or nothing is found.
    """
    root = Path(path)
    pairs = _table_pairs(root, split, sequences) if (root / "frames.csv").is_file() else None
    if pairs is None and sequences is not None:
        raise ValueError(
            f"{readable_name(root)} has no frames.csv that would say what belongs to the sequences "
            f"{', '.join(sequences)}."
        )
    pairs = _folder_pairs(_split_folder(root, split)) if pairs is None else pairs
    if not pairs:
        raise ValueError(f"{readable_name(root)} holds no image for the split {split!r}.")
    known = _read_classes(root)
    images, masks = [], []
    for image_path, mask_path in pairs:
        image, mask = read_image(image_path, 3), _read_mask(mask_path)
        if image.shape[:2] != mask.shape:
            raise ValueError(
                f"{readable_name(image_path)} has {_size(image)} pixels and its mask "
                f"{readable_name(mask_path)} {_size(mask)}. They must have one size."
            )
        _check_numbers(mask, known, mask_path)
        images.append(image if size is None else resize_image(image, size))
        masks.append(mask if size is None else resize_mask(mask, size))
    return _renumber(_stack(images), _stack(masks), known)


def _table_pairs(
    root: Path, split: str, sequences: Sequence[str] | None
) -> list[tuple[Path, Path]]:
    with open(root / "frames.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    present = sorted({row["sequence"] for row in rows})
    unknown = sorted(set(sequences or ()).difference(present))
    if unknown:
        raise ValueError(
            f"{readable_name(root)} has no sequence {', '.join(unknown)}. There are: "
            f"{', '.join(present)}."
        )
    return [
        (root / row["image"], root / row["label"])
        for row in rows
        if row["split"] == split and (sequences is None or row["sequence"] in sequences)
    ]


def _split_folder(root: Path, split: str) -> Path:
    if not root.is_dir():
        raise FileNotFoundError(f"There is no folder {readable_name(root)}.")
    folder = root / split if (root / "train").is_dir() else root
    for name in FOLDERS:
        if not (folder / name).is_dir():
            raise FileNotFoundError(
                f"{readable_name(folder)} has no folder {name}. Expected images/ and masks/, with "
                "files of the same names, or frames.csv."
            )
    return folder


def _folder_pairs(folder: Path) -> list[tuple[Path, Path]]:
    images, masks = (folder / name for name in FOLDERS)
    masks = {path.relative_to(masks).with_suffix(""): path for path in find_images(masks)}
    pairs = []
    for path in find_images(images):
        name = path.relative_to(images).with_suffix("")
        if name not in masks:
            raise FileNotFoundError(
                f"{readable_name(path)} has no mask: expected masks/{name}.png. Add it, or take "
                "the image away."
            )
        pairs.append((path, masks[name]))
    return pairs


def _read_classes(root: Path) -> dict[int, tuple[str, list[int] | None]] | None:
    """Return `{number: (name, colour)}` of classes.csv, None where there is no such file."""
    path = root / "classes.csv"
    if not path.is_file():
        return None
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return {
            int(row["id"]): (row["name"], [int(row[channel]) for channel in "rgb"]) for row in rows
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{readable_name(path)} must have the columns id,name,r,g,b with whole numbers: {error}"
        ) from error


def _read_mask(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.mode not in ("L", "P", "1"):
                raise ValueError(
                    f"{readable_name(path)} is an image of mode {image.mode}. A mask holds class "
                    "numbers in one channel of 8 bits, or in a palette."
                )
            return np.array(image.convert("L") if image.mode == "1" else image)
    except OSError as error:
        raise ImageError(f"{readable_name(path)}: the mask cannot be read: {error}") from error


def _check_numbers(
    mask: np.ndarray, known: dict[int, tuple[str, list[int] | None]] | None, path: Path
) -> None:
    if known is None:
        return
    unknown = sorted(set(np.unique(mask).tolist()).difference([*known, VOID]))
    if unknown:
        raise ValueError(
            f"{readable_name(path)} holds the numbers {', '.join(map(str, unknown))}, which "
            f"classes.csv does not name. Name them there, or set these pixels to {VOID} (void)."
        )


def _renumber(
    images: np.ndarray, masks: np.ndarray, known: dict[int, tuple[str, list[int] | None]] | None
) -> SegmentedImages:
    """Number the classes from 0 on, void apart."""
    if known is None:
        present = [number for number in np.unique(masks).tolist() if number != VOID]
        known = {number: (str(number), None) for number in present}
    void = ("void", "unlabelled", "unlabeled", "ignore")
    kept = [number for number in sorted(known) if known[number][0].lower() not in void]
    table = np.full(256, VOID, "uint8")
    table[kept] = np.arange(len(kept))
    colors = [known[number][1] for number in kept]
    colors = None if None in colors else np.array(colors, "uint8")
    names = tuple(known[number][0] for number in kept)
    return SegmentedImages(images, table[masks], names, colors)


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
