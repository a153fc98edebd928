"""Image files to arrays and back: one way of reading, for training and for production alike.

NumPy and Pillow only. Whatever the file holds, `read_image` returns upright 8-bit pixels, and
whatever is wrong with the file, it raises `ImageError`.
"""

import contextlib
import functools
import importlib
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
MAX_PIXELS = 178_956_970  # half a gigabyte of RGB, from which on Pillow refuses, too
SUFFIXES = frozenset(suffix for suffixes in _FORMATS.values() for suffix in suffixes)

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_WITHOUT_ALPHA = (".bmp", ".jpg", ".jpeg", ".pbm", ".pgm", ".ppm")
_JPEG_NOTE = 65_000  # bytes; a colour profile may take several notes, but none needs so many
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
    return list(_walk(folder, recursive, on_error, ancestors=()))


def _walk(folder, recursive, on_error, ancestors):
    """Yield the images below a folder, sorted, with no more work for each than it takes."""
    try:
        place = os.path.realpath(folder)
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        if on_error is None:
            raise
        on_error(error)
        return
    for entry in sorted(visible, key=lambda entry: entry.name):
        if _is(entry.is_dir):
            if recursive and os.path.realpath(entry) not in (*ancestors, place):
                yield from _walk(folder / entry.name, recursive, on_error, (*ancestors, place))
        elif _is_named_as_image(entry.name) and (_is(entry.is_file) or entry.is_symlink()):
            # A broken link is listed, so that somebody reports it; a pipe or socket is not.
            yield folder / entry.name


def _is_named_as_image(name):
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 (for its speed)


def _is(question):
    """Ask an entry of a folder what it is; links in a loop are nothing."""
    try:
        return question()
    except OSError:
        return False


def read_image(source, channels=3, max_pixels=MAX_PIXELS):
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
    with opened_image(source, max_pixels) as image:
        return as_pixels(upright_image(image), channels)


@contextlib.contextmanager
def opened_image(source, max_pixels=MAX_PIXELS):
    """Open an image as a Pillow image whose pixels are not decoded yet.

    Args:
        source: A path, or the bytes of an encoded image.
        max_pixels: Larger images are refused.

    Raises:
        ImageError: The file cannot be opened, or the body raised whatever it was: Pillow raises
            nearly every built-in exception, from SyntaxError to ZeroDivisionError, on damaged
            files, and to the caller they are all the same thing.
    """
    name = "bytes" if isinstance(source, bytes) else readable_name(source)
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
            image = _open(file)
            check_size(image, max_pixels)
            yield image
    except Exception as error:
        raise ImageError(f"{name}: cannot be read as an image: {_reason(error)}") from error


def check_size(image, max_pixels):
    """Raise an `ImageError` where a Pillow image has more pixels than `max_pixels`."""
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(f"its {width} x {height} pixels exceed the limit of {max_pixels}")


def _open(file):
    """Open a file by the first decoder that knows it.

    The same as `Image.open`, but for its limit of pixels: that one belongs to the whole process.
    """
    prefix = file.read(16)
    if not prefix:
        raise ImageError("it is empty")
    for decoder, accepts in _decoders():
        with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):
            # Some give a text instead, the reason why they do not accept.
            if accepts is None or accepts(prefix) is True:
                file.seek(0)
                return decoder(file, "")
    raise Image.UnidentifiedImageError


@functools.cache
def _decoders():
    for name in ("Bmp", "Gif", "Jpeg", "Png", "Ppm", "Tiff", "WebP"):
        importlib.import_module(f"PIL.{name}ImagePlugin")
    return [Image.OPEN[name] for name in _FORMATS]


def upright_image(image):
    """Decode a Pillow image and turn it upright, in 8 bit."""
    image.load()
    return _upright(_eight_bit(image))


def as_pixels(image, channels):
    """Return a Pillow image as a uint8 array of shape `(height, width, channels)`."""
    pixels = np.array(_to_mode(image, _MODES[channels]))
    return pixels.reshape(*pixels.shape[:2], channels)


def read_profile(path):
    """Return the ICC profile that says what the RGB values of an image file mean, or None.

    Raises:
        ImageError: The file cannot be opened as an image.
    """
    with opened_image(path) as image:
        return rgb_profile(image)


def rgb_profile(image):
    """Return the ICC profile of a Pillow image, or None.

    That of other kinds of values, such as CMYK, is left out: it does not fit what `read_image`
    makes of them.
    """
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile[16:20] == b"RGB " else None


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
    tags = {"icc_profile": profile} if profile else None
    data = encode_image(image, Path(path).suffix, quality, tags=tags)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def encode_image(image, suffix, quality=95, alpha=None, tags=None):
    """Encode an image in the format that a suffix names.

    Args:
        image: A uint8 array of shape `(height, width, channels)` with 1, 3 or 4 channels.
        suffix: Such as `".png"`.
        quality: For JPEG and WebP, from 1 to 100.
        alpha: A uint8 array of shape `(height, width)` for an image of 1 or 3 channels; it is
            left out where the format has none, whereas alpha of 4 channels is laid over white.
        tags: What Pillow's `save` takes: `exif`, `xmp` and `icc_profile`, as bytes. What does
            not fit into a JPEG is left out.

    Raises:
        ValueError: The suffix, the shape or the dtype is none of these.
    """
    suffix = suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"Images cannot be written with the suffix {suffix!r}; "
            f"use one of {', '.join(sorted(SUFFIXES))}."
        )
    picture = _as_pillow(image)
    if not has_alpha(suffix) and picture.mode == "RGBA":
        picture = _to_mode(picture, "RGB")
    elif has_alpha(suffix) and alpha is not None:
        picture.putalpha(Image.fromarray(alpha))
    tags = _writable(tags or {}, suffix)
    file = io.BytesIO()
    name = next(name for name, suffixes in _FORMATS.items() if suffix in suffixes)
    picture.save(file, name, quality=quality, compress_level=_PNG_LEVEL, **tags)
    return file.getvalue()


def _writable(tags, suffix):
    """Return the tags in the form that a format's encoder takes."""
    if suffix in _FORMATS["JPEG"]:
        return {key: value for key, value in tags.items() if len(value) < _JPEG_NOTE}
    if suffix in _FORMATS["PNG"] and "xmp" in tags:
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", tags["xmp"].decode("utf-8", "replace"))
        return {**tags, "pnginfo": info}
    return tags


def has_alpha(suffix):
    """Whether the format that a suffix names can hold transparency."""
    return suffix.lower() not in _WITHOUT_ALPHA


def _as_pillow(image):
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in _MODES:
        raise ValueError(
            "An image must be a uint8 array of shape (height, width, channels) with 1, 3 or 4 "
            f"channels; received {image.dtype} of shape {image.shape}."
        )
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
