"""Masks: files that hold the class of each pixel, and what their numbers and colours mean."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.files import readable_name
from keras_dtl.images import ImageError, open_image, orientation_of, turned_upright

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
        has_palette: Whether its numbers count in a palette, which gives the colours.
    """

    numbers: np.ndarray | None
    colors: np.ndarray | None
    orientation: int = 1
    is_colored: bool = False
    has_palette: bool = False

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
        return Mask(*arrays, orientation, self.is_colored, self.has_palette)


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
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    first, rows = text.partition("\n")[0], list(csv.DictReader(text.splitlines()))
    try:
        found = [
            (int(row["id"]), row["name"], [int(row[channel]) for channel in "rgb"]) for row in rows
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{readable_name(path)} must have the columns id,name,r,g,b with whole numbers. Its "
            f"first row is {readable_name(first.strip())!r} ({error})."
        ) from error
    _check_classes(path, found)
    return {number: (name, color) for number, name, color in found if number >= 0}


def _check_classes(path: Path, rows: Sequence[tuple[int, str, list[int]]]) -> None:
    """Refuse what no mask can hold, and what is listed twice; ids below 0 are in no mask."""
    values = [value for number, _, color in rows for value in (max(number, 0), *color)]
    beyond = [value for value in values if not 0 <= value <= 255]
    if beyond:
        raise ValueError(f"{readable_name(path)} holds {beyond[0]}; ids and colours are 0 to 255.")
    numbers = Counter(number for number, _, _ in rows if number >= 0)
    names = Counter(name for _, name, _ in rows if name.lower() not in VOID_NAMES)
    twice = [value for counts in (numbers, names) for value, n in counts.items() if n > 1]
    if twice:
        raise ValueError(f"{readable_name(path)} lists {twice[0]} twice. Give each class one row.")


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
        colors = np.array(image.convert("RGB"))
        return Mask(np.array(image), colors, orientation, has_palette=image.mode == "P")
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
    of colours they come first. A palette must not say another thing than its numbers.

    Args:
        mask: What `read_mask` returned.
        known: What `read_classes` returned.
        path: The file, for messages.

    Raises:
        ValueError: If classes.csv lacks a number or a colour, or is missing for colours; or if
            numbers and palette stand for different classes.
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
        if mask.has_palette:
            _check_palette(mask, known, path)
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


def _check_palette(mask: Mask, known: Classes, path: Path) -> None:
    """Refuse a palette whose colours are all listed, but for other numbers: it was sorted anew."""
    coded, missing = _numbers_of_colors(mask.colors, known)
    if not missing and (coded != mask.numbers).any():
        raise ValueError(
            f"{readable_name(path)} shows other classes by its numbers than by the colours of its "
            "palette, both of which classes.csv lists. Save masks as one channel of numbers, or "
            "as RGB images of the colours."
        )


def _numbers_of_colors(colors: np.ndarray, known: Classes) -> tuple[np.ndarray, list[tuple]]:
    """Return class numbers by colour, and the colours that are of no class."""
    packed = colors.astype("int64") @ [65536, 256, 1]
    codes, inverse = np.unique(packed, return_inverse=True)
    table = {tuple(color): number for number, (_, color) in known.items()}
    shared = [color for color, count in Counter(tuple(c) for _, c in known.values()).items()
              if count > 1 and (color[0] << 16 | color[1] << 8 | color[2]) in codes]  # fmt: skip
    if shared:
        raise ValueError(
            f"classes.csv gives several classes the colour {shared[0]}, by which masks tell them "
            "apart. Give each its own."
        )
    found = [table.get((code >> 16, code >> 8 & 255, code & 255)) for code in codes.tolist()]
    missing = [
        (code >> 16, code >> 8 & 255, code & 255)
        for code, number in zip(codes.tolist(), found, strict=True)
        if number is None
    ]
    numbers = np.array([VOID if number is None else number for number in found], "uint8")
    return numbers[inverse].reshape(packed.shape), missing


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
