"""Masks: files that hold the class of each pixel, and what their numbers and colours mean."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.images import (
    ImageError,
    open_image,
    orientation_of,
    readable_name,
    turned_upright,
)

VOID = 255
"""Number of pixels that belong to no class: neither learnt nor scored."""
VOID_LIMIT = 0.3
"""Share of pixels of 255 above which, without classes.csv, it is hardly void but an object."""
GREY_STEP = 16
"""Numbers that all lie so far apart, 255 among them, are grey levels to look at."""
VOID_NAMES = ("void", "unlabelled", "unlabeled", "ignore")
LOSSY = ("JPEG", "AVIF", "HEIC", "HEIF")
"""Formats that change numbers a little, which makes other classes of them."""

Classes = dict[int, tuple[str, list[int]]]


@dataclass(frozen=True)
class Mask:
    """What a file of classes holds.

    Args:
        numbers: uint8 `(height, width)`, or None where it holds colours alone.
        colors: uint8 `(height, width, 3)` of red, green and blue, or None where there are none.
        orientation: The turn that its EXIF asks for, 1 to 8, which has been applied.
        is_colored: Whether it is an image of colours, even where all of them are grey.
    """

    numbers: np.ndarray | None
    colors: np.ndarray | None
    orientation: int = 1
    is_colored: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return (self.colors if self.numbers is None else self.numbers).shape[:2]

    def turn(self, orientation: int) -> "Mask":
        """Return the mask turned as a photo of an EXIF orientation is.

        Args:
            orientation: 1 to 8.
        """
        arrays = (
            None
            if array is None
            else np.array(turned_upright(Image.fromarray(np.ascontiguousarray(array)), orientation))
            for array in (self.numbers, self.colors)
        )
        return Mask(*arrays, orientation, self.is_colored)


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


def read_classes(root: Path) -> Classes | None:
    """Return `{number: (name, colour)}` of classes.csv, None where there is no such file.

    Args:
        root: The folder that holds it.

    Raises:
        ValueError: If it has not the columns id, name, r, g and b.
    """
    path = root / "classes.csv"
    if not path.is_file():
        return None
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return {
            int(row["id"]): (row["name"], [int(row[channel]) for channel in "rgb"]) for row in rows
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{readable_name(path)} must have the columns id,name,r,g,b with whole numbers: {error}"
        ) from error


def read_mask(path: Path) -> Mask:
    """Read a mask, upright by its own EXIF.

    Args:
        path: The file: PNG, GIF, BMP, TIFF, PPM or lossless WebP, of one channel of 1, 8 or 16
            bits, of a palette, or of colours.

    Raises:
        ImageError: If it cannot be read.
        ValueError: If it is of a lossy format, or its pixels are no class numbers.
    """
    name = readable_name(path)
    with open_image(path) as image:
        lossy = image.format in LOSSY or image.info.get("compression") == "jpeg"
        image.load()
        orientation = orientation_of(image)
        mask = None if lossy else _mask_of(turned_upright(image, orientation), orientation)
    if lossy:
        raise ValueError(
            f"{name} is a {image.format} file, whose compression changes class numbers at every "
            "edge. Write masks as PNG from the program that drew them; JPEG turned into PNG stays "
            "spoilt."
        )
    if mask is None:
        raise ImageError(
            f"{name} is an image of mode {image.mode}. A mask holds class numbers from 0 to 255 in "
            "one channel or a palette, or colours that classes.csv lists."
        )
    return mask


def _mask_of(image: Image.Image, orientation: int) -> Mask | None:
    if image.mode == "1":
        numbers = np.array(image).astype("uint8")
        return Mask(numbers, np.repeat(numbers[..., None] * np.uint8(255), 3, -1), orientation)
    if image.mode in ("L", "P"):
        colors = image if image.mode == "P" else image.convert("RGB")
        return Mask(np.array(image), np.array(colors.convert("RGB")), orientation)
    if image.mode in ("LA", "PA"):
        return Mask(np.array(image)[..., 0], None, orientation)
    if image.mode.startswith("I"):
        numbers = np.array(image)
        fits = numbers.min() >= 0 and numbers.max() <= 255
        return Mask(numbers.astype("uint8"), None, orientation) if fits else None
    if image.mode not in ("RGB", "RGBA"):
        return None
    colors = np.array(image)[..., :3]
    grey = (colors == colors[..., :1]).all()
    return Mask(colors[..., 0] if grey else None, colors, orientation, is_colored=True)


def class_numbers(mask: Mask, known: Classes | None, path: Path) -> np.ndarray:
    """Return the class numbers of a mask, uint8 `(height, width)`.

    Where numbers are not among those of classes.csv but all colours are, colours decide; in images
    of colours they come first.

    Args:
        mask: What `read_mask` returned.
        known: What `read_classes` returned.
        path: The file, for messages.

    Raises:
        ValueError: If classes.csv lacks a number or a colour, or is missing for colours.
    """
    if known is None:
        if mask.numbers is None:
            raise ValueError(
                f"{readable_name(path)} is an image of mode RGB, whose colours stand for classes. "
                "Say for which: a file classes.csv beside images/ and masks/ with the columns "
                "id,name,r,g,b."
            )
        return mask.numbers
    present = [] if mask.numbers is None else np.unique(mask.numbers).tolist()
    unknown = sorted(set(present).difference([*known, VOID]))
    if mask.numbers is not None and not unknown and not mask.is_colored:
        return mask.numbers
    if mask.colors is not None:
        coded, missing = _numbers_of_colors(mask.colors, known)
        if not missing:
            return coded
        if mask.numbers is None:
            raise ValueError(
                f"{readable_name(path)} holds {len(missing)} colour(s) that classes.csv does not "
                f"list, such as {', '.join(map(str, missing[:3]))}. Add them there; many that lie "
                "close together come from a lossy format or from smoothing."
            )
        if not unknown:
            return mask.numbers
    raise ValueError(
        f"{readable_name(path)} holds the numbers {', '.join(map(str, unknown))}, which "
        f"classes.csv does not name. Name them there, or set these pixels to {VOID} (void)."
    )


def _numbers_of_colors(colors: np.ndarray, known: Classes) -> tuple[np.ndarray, list[tuple]]:
    """Return class numbers by colour, and the colours that are of no class."""
    packed = colors.astype("int64") @ [65536, 256, 1]
    codes, inverse = np.unique(packed, return_inverse=True)
    table = {tuple(color): number for number, (_, color) in known.items()}
    found = [table.get((code >> 16, code >> 8 & 255, code & 255)) for code in codes.tolist()]
    missing = [
        (code >> 16, code >> 8 & 255, code & 255)
        for code, number in zip(codes.tolist(), found, strict=True)
        if number is None
    ]
    numbers = np.array([VOID if number is None else number for number in found], "uint8")
    return numbers[inverse].reshape(packed.shape), missing


def check_void(root: Path, counts: np.ndarray) -> None:
    """Refuse 255 that is hardly void, where no classes.csv says what it is.

    Args:
        root: The folder, for the message.
        counts: Pixels by number, integers `(256,)`.

    Raises:
        ValueError: If there is one other number alone, numbers are far apart like grey levels,
            or more than `VOID_LIMIT` of the pixels are 255.
    """
    numbers = np.flatnonzero(counts)
    share = void_share(counts)
    if VOID not in numbers:
        return
    levels = np.diff(numbers).min(initial=256) >= GREY_STEP
    if len(numbers) > 2 and not levels and share <= VOID_LIMIT:
        return
    listed = ", ".join(map(str, numbers.tolist()[:8]))
    rows = "; ".join(f"{number},NAME,R,G,B" for number in numbers.tolist()[:3])
    raise ValueError(
        f"{readable_name(root)}: the masks hold the numbers {listed}, and {share:.1%} of the "
        "pixels are 255, which would be void: neither learnt nor scored. If 255 is a class, name "
        f"all numbers in classes.csv beside masks/, with the columns id,name,r,g,b: {rows}. If it "
        "is void, name the others there and leave 255 out."
    )


def void_share(counts: np.ndarray) -> float:
    """Return the share of pixels of 255 among all, in 0..1.

    Args:
        counts: Pixels by number, integers `(256,)`.
    """
    return float(counts[VOID] / max(1, counts.sum()))


def class_table(
    numbers: Sequence[int], known: Classes | None
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray | None]:
    """Number the classes from 0 on, void apart.

    Args:
        numbers: Those that occur in the masks.
        known: What `read_classes` returned.

    Returns:
        `(table, names, colors)`: uint8 `(256,)` from number to label, the names by label, and
        uint8 `(classes, 3)` or None where no colours are known.
    """
    if known is None:
        known = {number: (str(number), None) for number in numbers if number != VOID}
    kept = [number for number in sorted(known) if known[number][0].lower() not in VOID_NAMES]
    table = np.full(256, VOID, "uint8")
    table[kept] = np.arange(len(kept))
    colors = [known[number][1] for number in kept]
    colors = None if None in colors else np.array(colors, "uint8")
    return table, tuple(known[number][0] for number in kept), colors
