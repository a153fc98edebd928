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

from keras_dtl.files import (
    FilePath,
    atomic_path,
    find_files,
    find_other_files,
    open_regular,
    readable_name,
    suffix_of,
)
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
from keras_dtl.image_notes import PROFILED, encoder_notes

MAX_PIXELS = 178_956_970  # half a gigabyte of RGB, from which on Pillow refuses, too


_PREFIX = 64  # bytes, by which formats are told apart
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_PNG_LEVEL = 3  # of zlib: photos get as small as by its default, 6, in half the time
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageError(ValueError):
    """A file or a string of bytes that cannot be read as an image; the message says why."""


def find_images(
    folder: FilePath,
    recursive: bool = True,
    on_error: Callable[[OSError], None] | None = None,
) -> list[Path]:
    """List the image files of a folder, known by their suffix.

    Args:
        folder: The folder to search.
        recursive: Whether to search its sub-folders too.
        on_error: As in `keras_dtl.files.find_files`, which says what is found and what is raised.

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
    if channels not in _MODES:
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
            yield image
    except Exception as error:
        raise ImageError(f"{name}: cannot be read as an image: {_reason(error)}") from error


def check_size(image: Image.Image, max_pixels: int) -> None:
    """Refuse an image that is too large.

    Args:
        image: A Pillow image.
        max_pixels: The most that it may have.

    Raises:
        ImageError: It has more.
    """
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(f"its {width} x {height} pixels exceed the limit of {max_pixels}")


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


def upright_image(image: Image.Image) -> Image.Image:
    """Decode a Pillow image and turn it upright, in 8 bit.

    Args:
        image: As `open_image` gave it.

    Returns:
        A Pillow image of a mode of 8 bit; `image` itself where nothing changes.

    Raises:
        ImageError: Its pixels are numbers whose range is not known.
    """
    image.load()
    return _upright(_eight_bit(image))


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height in pixels as the image is seen, mostly without decoding it.

    Args:
        image: As `open_image` gave it.
    """
    width, height = image.size
    return (height, width) if orientation_of(image) >= 5 else (width, height)


def as_pixels(image: Image.Image, channels: int) -> np.ndarray:
    """Return a Pillow image as a uint8 array of shape `(height, width, channels)`.

    Args:
        image: Of a mode of 8 bit.
        channels: 1 for grey, 3 for RGB, 4 for RGB with alpha.
    """
    pixels = np.array(_to_mode(image, _MODES[channels]))
    return pixels.reshape(*pixels.shape[:2], channels)


def read_profile(path: FilePath) -> bytes | None:
    """Return the ICC profile that says what the RGB values of an image file mean, or None.

    Args:
        path: The image file.

    Raises:
        ImageError: The file cannot be opened as an image.
    """
    with open_image(path) as image:
        return rgb_profile(image)


def rgb_profile(image: Image.Image) -> bytes | None:
    """Return the ICC profile of a Pillow image, or None.

    That of other kinds of values, such as CMYK, is left out: it does not fit what `read_image`
    makes of them.

    Args:
        image: A Pillow image.
    """
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile[16:20] == b"RGB " else None


def kept_profile(image: Image.Image) -> bytes | None:
    """Return the ICC profile of a Pillow image of colours or of grey, or None.

    `encode_image` keeps it with pixels of its kind alone.

    Args:
        image: A Pillow image.
    """
    profile = image.info.get("icc_profile")
    known = isinstance(profile, bytes) and profile[16:20] in PROFILED
    # Values of CMYK were converted by no profile, and are no longer what theirs is about.
    return profile if known and image.mode != "CMYK" else None


def _reason(error):
    if isinstance(error, Image.UnidentifiedImageError):
        return f"not one of the formats {', '.join(DECODERS)}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return readable_name(str(error)) or type(error).__name__


def _eight_bit(image):
    """Scale deep grey pixels to 8 bit; Pillow itself would clip them at 255."""
    if image.mode == "F":
        raise ImageError("its pixels are floating-point numbers, whose range is not known")
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ImageError("its pixels are 32-bit integers, whose range is not known")
    grey = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    grey.info["orientation"] = _orientation(image)
    return grey


def orientation_of(image: Image.Image) -> int:
    """Return the turn that an image's EXIF asks for, from 1 (none) to 8.

    Args:
        image: A Pillow image.
    """
    orientation = _orientation(image)
    return orientation if orientation in _UPRIGHT else 1


def turned_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return an image turned as an EXIF orientation asks for; `image` itself where it does not.

    Args:
        image: A Pillow image of stored pixels.
        orientation: From 1 to 8.
    """
    transpose = _UPRIGHT.get(orientation)
    return image if transpose is None else image.transpose(transpose)


def _orientation(image):
    if "orientation" in image.info:
        return image.info["orientation"]
    try:
        # Read after load(): PNG may keep it behind the pixels, and TIFF has applied it by then.
        return image.getexif().get(_EXIF_ORIENTATION)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error):
        return None  # damaged notes about the pixels do not spoil the pixels


def _upright(image):
    return turned_upright(image, orientation_of(image))


def _to_mode(image, mode):
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if mode != "RGBA":
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
    elif image.mode == "CMYK" and mode != "RGB":
        image = image.convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize an image with the antialiased bilinear filter that training and serving share.

    Args:
        image: A uint8 array of shape `(height, width, channels)` with 1, 3 or 4 channels.
        size: The new `(height, width)`.

    Returns:
        A uint8 array of shape `(*size, channels)`; `image` itself where nothing changes.
    """
    height, width = size
    if image.shape[:2] == (height, width):
        return image
    resized = _as_pillow(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.array(resized).reshape(height, width, image.shape[2])


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
    picture = _as_pillow(image)
    if not ENCODERS[name].alpha and picture.mode == "RGBA":
        picture = _to_mode(picture, "RGB")
    elif ENCODERS[name].alpha and alpha is not None:
        picture.putalpha(Image.fromarray(alpha))
    tags = encoder_notes(tags or {}, name, picture.mode)
    file = io.BytesIO()
    picture.save(file, name, quality=quality, compress_level=_PNG_LEVEL, **tags)
    return file.getvalue()


def _as_pillow(image):
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in _MODES:
        raise ValueError(
            "An image must be a uint8 array of shape (height, width, channels) with 1, 3 or 4 "
            f"channels; received {image.dtype} of shape {image.shape}."
        )
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
