"""Lines that say what a data set holds."""

import collections
import contextlib
import functools
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from keras_dtl.files import readable_name, sha256
from keras_dtl.folders import MOST_NAMED, join_names
from keras_dtl.images import ImageError, open_image, upright_size

IN_LINES = {"in_lines": True}
"""Marks a log record, as `extra`, of what the lines on a data set say, too."""


@contextlib.contextmanager
def told_once() -> Iterator[None]:
    """Be the context in which data are loaded whose lines were told: nothing is said twice."""
    logger, told = logging.getLogger("keras_dtl"), set()

    def is_new(record):
        text = record.getMessage()
        is_known = text in told or hasattr(record, "in_lines")
        told.add(text)
        return not is_known

    logger.addFilter(is_new)
    try:
        yield
    finally:
        logger.removeFilter(is_new)


def example_lines(parts: dict) -> list[str]:
    """Return classes, counts and size of the images of each split, a line each.

    Args:
        parts: `LabelledImages` by split.
    """
    train = parts["train"]
    lines = [f"{len(train.classes)} classes: {join_names(train.classes)}"]
    for split, part in parts.items():
        lines.append(f"{split}: {count_line(len(part), part.labels, part.classes)}")
    height, width, channels = train.image_shape
    return [
        *lines,
        f"sizes: {width}x{height} (width x height), {channels} channel{'s' * (channels > 1)}",
    ]


def count_line(count: int, labels: np.ndarray | None, classes: Sequence[str]) -> str:
    """Return how many images there are, and of each class.

    Args:
        count: Of all.
        labels: Integers `(count,)`, or None.
        classes: Names in label order.
    """
    if labels is None:
        return f"{count} images without labels"
    each = np.bincount(labels, minlength=len(classes))
    return f"{count} images ({join_names(f'{n} {k}' for n, k in zip(classes, each, strict=True))})"


def copy_lines(learnt: Iterable[Path], asked: Iterable[Path]) -> list[str]:
    """Return a note on files for testing that lie among those to learn from, too, or none.

    Only files of one size are read and compared. One that cannot be read is a copy of none: who
    opens it says why it cannot.

    Args:
        learnt: Files to learn from.
        asked: Files for testing.
    """
    by_size, asked = collections.defaultdict(list), list(asked)
    for path in learnt:
        by_size[_or_none(_size, path)].append(path)
    digest = functools.cache(functools.partial(_or_none, sha256))
    copies = [
        path
        for path in asked
        if any(
            digest(path) is not None and digest(other) == digest(path)
            for other in by_size.get(_or_none(_size, path), ())
        )
    ]
    if not copies:
        return []
    return [
        f"note: {len(copies)} of {len(asked)} test images are copies of images to learn from, such "
        f"as {readable_name(copies[0])}: their answers are known by heart, and scores too good. "
        "Leave them in one split."
    ]


def _size(path: Path) -> int:
    return path.stat().st_size


def _or_none(read: Callable[[Path], Any], path: Path) -> Any:
    """Return what a function reads of a file, or None where that cannot be read."""
    try:
        return read(path)
    except OSError:
        return None


def image_sizes(files: Iterable[Path]) -> tuple[collections.Counter, list[str]]:
    """Return how many images have each width and height, and why others cannot be read.

    Every image is decoded, JPEG in an eighth of its size: a truncated file opens all the same.

    Args:
        files: Of the images.
    """

    def look(path):
        try:
            with open_image(path) as image:
                size = upright_size(image)
                image.draft(None, (1, 1))
                image.load()
        except ImageError as error:
            return str(error)
        return size

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(look, files))
    broken = [each for each in found if isinstance(each, str)]
    return collections.Counter(each for each in found if not isinstance(each, str)), broken


def size_lines(sizes: collections.Counter, broken: Sequence[str]) -> list[str]:
    """Return what sizes there are, and which images cannot be read, a line each.

    Args:
        sizes: How many images have each width and height.
        broken: Why others cannot be read.
    """
    lines = []
    if sizes:
        small, large = (
            "x".join(map(str, each)) for each in (min(sizes, key=np.prod), max(sizes, key=np.prod))
        )
        words = small if len(sizes) == 1 else f"{len(sizes)} sizes, {small} to {large}"
        lines.append(f"sizes: {words} (width x height)")
    lines += [f"broken: {reason}" for reason in broken[:MOST_NAMED]]
    more = len(broken) - MOST_NAMED
    return [*lines, f"broken: {more} more"] if more > 0 else lines
