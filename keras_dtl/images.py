"""Image files to arrays and back: one way of reading, for training and for production alike.

NumPy and Pillow only. Whatever the file holds, `read_image` returns upright 8-bit pixels, and
whatever is wrong with the file, it raises `ImageError`.
"""

import contextlib
import functools
import importlib
import io
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_dtl.files import FilePath, atomic_path, open_regular, readable_name
from keras_dtl.folders import find_files, find_other_files, suffix_of
from keras_dtl.image_formats import (
    DECODERS,
    ENCODERS,
    UNREAD_SUFFIXES,
    format_of,
    readable_suffixes,
)
from keras_dtl.image_formats import Decoder as Decoder
from keras_dtl.image_formats import has_alpha as has_alpha
from keras_dtl.image_formats import writable_suffixes as writable_suffixes
from keras_dtl.image_notes import encoder_notes, rgb_profile
from keras_dtl.image_notes import kept_profile as kept_profile
from keras_dtl.image_pixels import (
    MODES,
    ImageError,
    as_pillow,
    as_pixels,
    check_kind,
    check_size,
    to_mode,
    upright_image,
)
from keras_dtl.image_pixels import orientation_of as orientation_of
from keras_dtl.image_pixels import resize_image as resize_image
from keras_dtl.image_pixels import turned_upright as turned_upright
from keras_dtl.image_pixels import upright_size as upright_size

MAX_PIXELS = 178_956_970  # half a gigabyte of RGB, from which on Pillow refuses, too
_PREFIX = 64  # bytes, by which formats are told apart
_PNG_LEVEL = 3  # of zlib: photos get as small as by its default, 6, in half the time


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


def find_unread_files(folder: FilePath, recursive: bool = True) -> tuple[tuple[str, str], ...]:
    """List the files of a folder that are not taken for images.

    Args:
        folder: The folder to search.
        recursive: Whether to search its sub-folders too.

    Returns:
        `(path, reason)` of each, sorted, as text of one line.
    """
    others = find_other_files(folder, readable_suffixes(), recursive)
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


def write_image(
    path: FilePath, image: np.ndarray, quality: int = 95, profile: bytes | None = None
) -> None:
    """Write an image, whole or not at all, in the format that the suffix of `path` names.

    Alpha is laid over white where the format has none.

    Args:
        path: Where to write; missing folders are made.
        image: A uint8 array of shape `(height, width, channels)` with 1, 3 or 4 channels.
        quality: For JPEG, WebP and AVIF, from 1 to 100.
        profile: Bytes of an ICC profile to keep with the pixels, where the format can.

    Raises:
        ValueError: The suffix, the shape or the dtype is none of these.
        OSError: The file cannot be written.
    """
    tags = {"icc_profile": profile} if profile else None
    data = encode_image(image, Path(path).suffix, quality, tags=tags)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def encode_image(
    image: np.ndarray,
    suffix: str,
    quality: int = 95,
    alpha: np.ndarray | None = None,
    tags: dict[str, Any] | None = None,
) -> bytes:
    """Encode an image in the format that a suffix names.

    Args:
        image: A uint8 array of shape `(height, width, channels)` with 1, 3 or 4 channels.
        suffix: Such as `".png"`.
        quality: For JPEG, WebP and AVIF, from 1 to 100.
        alpha: A uint8 array of shape `(height, width)` for an image of 1 or 3 channels; it is
            left out where the format has none, whereas alpha of 4 channels is laid over white.
        tags: What goes with the pixels: `exif`, `xmp`, `iptc`, `icc_profile` and `comment` as
            bytes, `dpi` as two numbers, `text` as a dictionary of words. What the format cannot
            hold, or a profile of pixels of another kind, is left out.

    Raises:
        ValueError: The suffix, the shape or the dtype is none of these.
    """
    name = format_of(suffix)
    picture = as_pillow(image)
    if not ENCODERS[name].alpha and picture.mode == "RGBA":
        picture = to_mode(picture, "RGB")
    elif ENCODERS[name].alpha and alpha is not None:
        picture.putalpha(Image.fromarray(alpha))
    tags = encoder_notes(tags or {}, name, picture.mode)
    file = io.BytesIO()
    picture.save(file, name, quality=quality, compress_level=_PNG_LEVEL, **tags)
    return file.getvalue()
