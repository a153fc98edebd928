"""Image files to arrays: whatever a file holds, upright 8-bit pixels or an `ImageError`."""

import contextlib
import functools
import importlib
import io
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.files import FilePath, open_regular, readable_name
from keras_dtl.folders import find_files, find_other_files, suffix_of
from keras_dtl.images.formats import DECODERS, UNREAD_SUFFIXES, readable_suffixes
from keras_dtl.images.notes import rgb_profile
from keras_dtl.images.pixels import (
    MODES,
    ImageError,
    as_pixels,
    check_kind,
    check_size,
    upright_image,
)

MAX_PIXELS = 178_956_970  # half a gigabyte of RGB, from which on Pillow refuses, too
_PREFIX = 64  # bytes, by which formats are told apart


def find_images(
    folder: FilePath,
    recursive: bool = True,
    on_error: Callable[[OSError], None] | None = None,
) -> list[Path]:
    """List the image files of a folder, known by their suffix.

    Args:
        folder: The folder to search.
        recursive: Whether to search its sub-folders too.
        on_error: As in `keras_dtl.folders.find_files`, which says what is found and what is raised.

    Returns:
        A sorted list of `pathlib.Path`, each beginning with `folder`.
    """
    return find_files(folder, readable_suffixes(), recursive, on_error)


def find_unread_files(folder: FilePath) -> tuple[tuple[str, str], ...]:
    """List the files of a folder and its sub-folders that are not taken for images.

    Args:
        folder: The folder to search.

    Returns:
        `(path, reason)` of each, sorted, as text of one line.
    """
    others = find_other_files(folder, readable_suffixes())
    return tuple((readable_name(path), unread_reason(path)[0]) for path in others)


def unread_reason(path: FilePath) -> tuple[str, bool]:
    """Say why a file is passed over that has none of the suffixes that are read.

    Args:
        path: The file.

    Returns:
        The reason in words, and whether the file is a picture all the same.
    """
    suffix = suffix_of(Path(path).name)
    if suffix in UNREAD_SUFFIXES:
        return f"pictures of the format {suffix[1:].upper()} are not read", True
    try:
        with open(path, "rb") as file:
            name = _format_in(file.read(_PREFIX))
    except OSError as error:
        return error.strerror or str(error), False
    if name is not None:
        return f"its content is {name}, but its name does not end in an image suffix", True
    return f"no image, by its suffix {suffix or '(none)'}", False


def read_image(
    source: FilePath | bytes, channels: int = 3, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Read an image as upright 8-bit pixels.

    The EXIF orientation is applied. 16-bit grey is scaled, not clipped; palettes, CMYK and grey
    are converted; transparent pixels are laid over white where alpha is dropped; of an animation
    the first frame is taken.

    Args:
        source: A path, or the bytes of an encoded image.
        channels: 1 for grey, 3 for RGB, 4 for RGB with alpha.
        max_pixels: Larger images are refused before they are decoded: a few bytes can claim to
            hold billions of pixels.

    Returns:
        A uint8 array of shape `(height, width, channels)`.

    Raises:
        ImageError: The file is missing, damaged, truncated, no image, or too large to be safe.
    """
    if channels not in MODES:
        raise ValueError(f"channels must be 1, 3 or 4; received {channels!r}.")
    with open_image(source, max_pixels) as image:
        return as_pixels(upright_image(image), channels)


@contextlib.contextmanager
def open_image(source: FilePath | bytes, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Open an image as a Pillow image whose pixels are not decoded yet.

    Args:
        source: A path, or the bytes of an encoded image.
        max_pixels: Larger images are refused.

    Yields:
        The `PIL.Image.Image`.

    Raises:
        ImageError: The file cannot be opened, or the body raised whatever it was: Pillow raises
            nearly every built-in exception, from SyntaxError to ZeroDivisionError, on damaged
            files, and to the caller they are all the same thing.
    """
    name = "bytes" if isinstance(source, bytes) else readable_name(source)
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open_regular(source) as file:
            image = _open(file)
            check_size(image, max_pixels)
            check_kind(image)
            yield image
    except Exception as error:
        raise ImageError(f"{name}: cannot be read as an image: {_reason(error)}") from error


def _open(file):
    """Open a file by the first decoder that knows it.

    Not by `Image.open`, whose limit of pixels belongs to the whole process: it would refuse what
    `max_pixels` allows, and warn of half of it. (The decoders of TIFF and WebP ask for it all the
    same: beyond 178,956,970 pixels they refuse, whatever `max_pixels` is.)
    """
    prefix = file.read(_PREFIX)
    if not prefix:
        raise ImageError("it is empty")
    for decoder in DECODERS.values():
        if re.match(decoder.signature, prefix, re.DOTALL):
            with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):
                file.seek(0)
                return _image_file(*decoder.image_file)(file, "")
    if name := _format_in(prefix):
        raise ImageError(f"it begins like {name} and is damaged, or of a kind not read")
    raise Image.UnidentifiedImageError


def _format_in(prefix):
    """Return the name of the format that a file begins like, or None."""
    matches = (
        name for name, decoder in DECODERS.items() if re.match(decoder.signature, prefix, re.DOTALL)
    )
    return next(matches, None)


@functools.cache
def _image_file(module, name):
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        if module != "pillow_heif":
            raise
        raise ImageError(
            "HEIC is read with the extra heif: pip install 'keras_dtl[heif]'"
        ) from error


def read_profile(path: FilePath) -> bytes | None:
    """Return the ICC profile that says what the RGB values of an image file mean, or None.

    Args:
        path: The image file.

    Raises:
        ImageError: The file cannot be opened as an image.
    """
    with open_image(path) as image:
        return rgb_profile(image)


def _reason(error):
    if isinstance(error, Image.UnidentifiedImageError):
        return f"not one of the formats {', '.join(DECODERS)}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return readable_name(str(error)) or type(error).__name__
