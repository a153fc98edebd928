"""What the masks of a data set hold together, and what speaks against it."""

from pathlib import Path

import numpy as np

from keras_dtl.data.masks import GREY_STEP, VOID, VOID_LIMIT, Classes, Mask
from keras_dtl.files import readable_name

FEW_EDGES = 8
"""Numbers that nowhere fill a square of 2 x 2 pixels, from which on edges were likely smoothed."""


class MaskCensus:
    """Counts the numbers of masks, one mask after the other.

    `counts` are the pixels by number, integers `(256,)`.
    """

    def __init__(self) -> None:
        self.counts = np.zeros(256, "int64")
        self.fills = np.zeros(256, bool)
        self.palette = {}

    def add(self, mask: Mask, numbers: np.ndarray, path: Path) -> None:
        """Count a mask.

        Args:
            mask: What `read_mask` returned.
            numbers: Its class numbers, uint8 `(height, width)`.
            path: The file.
        """
        self.counts += np.bincount(numbers.ravel(), minlength=256)
        corner = numbers[:-1, :-1]
        same = (corner == numbers[1:, :-1]) & (corner == numbers[:-1, 1:])
        self.fills[np.unique(corner[same & (corner == numbers[1:, 1:])])] = True
        if mask.has_palette:
            present, first = np.unique(mask.numbers, return_index=True)
            colors = mask.colors.reshape(-1, 3)[first].tolist()
            for number, color in zip(present.tolist(), map(tuple, colors), strict=True):
                self.palette.setdefault(number, {}).setdefault(color, path)

    def check(self, root: Path, known: Classes | None) -> None:
        """Refuse masks without classes.csv that hardly hold class numbers.

        Args:
            root: The folder, for messages.
            known: What `read_classes` returned.

        Raises:
            ValueError: If 255 is hardly void, edges were smoothed, or palettes differ.
        """
        if known is not None:
            return
        self._check_palettes()
        self._check_edges(root)
        check_void(root, self.counts)

    def _check_palettes(self) -> None:
        for number, colors in self.palette.items():
            if len(colors) > 1:
                (one, path), (other, second) = list(colors.items())[:2]
                raise ValueError(
                    f"The number {number} has the colour {one} in {readable_name(path)} and "
                    f"{other} in {readable_name(second)}: palettes were sorted anew, and numbers "
                    "are no classes. Save masks as RGB images, and name the colours in classes.csv "
                    "with the columns id,name,r,g,b; or as one channel of numbers."
                )

    def _check_edges(self, root: Path) -> None:
        numbers = np.flatnonzero(self.counts)
        thin = [number for number in numbers.tolist() if not self.fills[number]]
        if len(thin) < FEW_EDGES or 2 * len(thin) <= len(numbers):
            return
        raise ValueError(
            f"{readable_name(root)}: the masks hold {len(numbers)} numbers, of which {len(thin)} "
            f"nowhere fill a square of 2 x 2 pixels, such as {', '.join(map(str, thin[:5]))}. So "
            "look edges that were smoothed, by resizing or by a lossy format. Write masks without, "
            "or name all numbers in classes.csv beside masks/, if they are classes."
        )


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
