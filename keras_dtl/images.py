"""Image files to arrays and back: one way of reading, for training and for production alike.

NumPy and Pillow only. Whatever the file holds, `read_image` returns upright 8-bit pixels, and
whatever is wrong with the file, it raises `ImageError`.
"""

import io
import os
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.files import atomic_path

# Decoders for anything else (there are many, and rarely exercised ones) are never run.
_FORMATS = {
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "PPM": (".pbm", ".pgm", ".ppm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
SUFFIXES = frozenset(suffix for suffixes in _FORMATS.values() for suffix in suffixes)

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_WITHOUT_ALPHA = (".bmp", ".jpg", ".jpeg", ".pbm", ".pgm", ".ppm")
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


def readable_name(path):
    """Return `path` as text of one line that any terminal and any JSON file can hold.

    File names may hold line breaks and, on Linux, bytes that are no UTF-8: these are escaped.
    """
    text = os.fspath(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def find_images(folder, recursive=True, on_error=None):
    """List the image files of a folder, known by their suffix.

    Hidden files and folders are left out. Links to folders are followed, but never in a loop.

    Args:
        folder: The folder to search.
        recursive: Whether to search its sub-folders too.
        on_error: Called with the `OSError` of each sub-folder that cannot be listed. By
            default the error is raised.

    Returns:
        A sorted list of `pathlib.Path`, each beginning with `folder`.

    Raises:
        FileNotFoundError: There is no such folder.
        NotADirectoryError: It is a file.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {readable_name(folder)}. Check the path.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{readable_name(folder)} is a file, not a folder of images.")
    return sorted(_walk(folder, recursive, on_error, ancestors=()))


def _walk(folder, recursive, on_error, ancestors):
    try:
        place = os.path.realpath(folder)
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        if on_error is None:
            raise
        on_error(error)
        return
    for entry in visible:
        path = folder / entry.name
        if entry.is_dir():
            if recursive and os.path.realpath(path) not in (*ancestors, place):
                yield from _walk(path, recursive, on_error, (*ancestors, place))
        # A broken link is listed, so that somebody reports it; a pipe or socket is not.
        elif path.suffix.lower() in SUFFIXES and (entry.is_file() or entry.is_symlink()):
            yield path


def read_image(source, channels=3):
    """Read an image as upright 8-bit pixels.

    The EXIF orientation is applied. 16-bit grey is scaled, not clipped; palettes, CMYK and grey
    are converted; transparent pixels are laid over white where alpha is dropped; of an animation
    the first frame is taken.

    Args:
        source: A path, or the bytes of an encoded image.
        channels: 1 for grey, 3 for RGB, 4 for RGB with alpha.

    Returns:
        A uint8 array of shape `(height, width, channels)`.

    Raises:
        ImageError: The file is missing, damaged, truncated, no image, or too large to be safe.
    """
    if channels not in _MODES:
        raise ValueError(f"channels must be 1, 3 or 4; received {channels!r}.")
    name = "bytes" if isinstance(source, bytes) else readable_name(source)
    try:
        with _open(source) as image:
            image.load()
            pixels = np.array(_to_mode(_upright(_eight_bit(image)), _MODES[channels]))
    # Pillow raises nearly every built-in exception, from SyntaxError to ZeroDivisionError, on
    # damaged files: to the caller they are all the same thing.
    except Exception as error:
        raise ImageError(f"{name}: cannot be read as an image: {_reason(error)}") from error
    return pixels.reshape(*pixels.shape[:2], channels)


def read_profile(path):
    """Return the ICC profile that says what the RGB values of a file mean, or None.

    That of other kinds of values, such as CMYK, is left out: it does not fit what `read_image`
    makes of them.
    """
    try:
        with Image.open(path, formats=tuple(_FORMATS)) as image:
            profile = image.info.get("icc_profile") or b""
    except Exception as error:  # see read_image
        raise ImageError(
            f"{readable_name(path)}: cannot be read as an image: {_reason(error)}"
        ) from error
    return profile if profile[16:20] == b"RGB " else None


def _open(source):
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    return Image.open(file, formats=tuple(_FORMATS))


def _reason(error):
    if isinstance(error, Image.UnidentifiedImageError):
        return f"not one of the formats {', '.join(_FORMATS)}"
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


def _orientation(image):
    if "orientation" in image.info:
        return image.info["orientation"]
    try:
        # Read after load(): PNG may keep it behind the pixels, and TIFF has applied it by then.
        return image.getexif().get(_EXIF_ORIENTATION)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error):
        return None  # damaged notes about the pixels do not spoil the pixels


def _upright(image):
    transpose = _UPRIGHT.get(_orientation(image))
    return image if transpose is None else image.transpose(transpose)


def _to_mode(image, mode):
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if mode != "RGBA":
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
    elif image.mode == "CMYK" and mode != "RGB":
        image = image.convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def resize_image(image, size):
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


def write_image(path, image, quality=95, profile=None):
    """Write an image, whole or not at all, in the format that the suffix of `path` names.

    Alpha is laid over white where the format has none.

    Args:
        path: Where to write; missing folders are made.
        image: A uint8 array of shape `(height, width, channels)` with 1, 3 or 4 channels.
        quality: For JPEG and WebP, from 1 to 100.
        profile: Bytes of an ICC profile to keep with the pixels, where the format can.

    Raises:
        ValueError: The suffix, the shape or the dtype is none of these.
        OSError: The file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"{readable_name(path)}: images cannot be written with the suffix {suffix!r}; "
            f"use one of {', '.join(sorted(SUFFIXES))}."
        )
    picture = _as_pillow(image)
    if picture.mode == "RGBA" and suffix in _WITHOUT_ALPHA:
        picture = _to_mode(picture, "RGB")
    with atomic_path(path) as temporary:
        picture.save(temporary, quality=quality, **({"icc_profile": profile} if profile else {}))


def _as_pillow(image):
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in _MODES:
        raise ValueError(
            "An image must be a uint8 array of shape (height, width, channels) with 1, 3 or 4 "
            f"channels; received {image.dtype} of shape {image.shape}."
        )
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
