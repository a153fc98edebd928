"""Pillow images to arrays of upright 8-bit pixels, and back."""

import struct

import numpy as np
from PIL import Image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's modes by number of channels."""
_EXIF_ORIENTATION = 0x0112
_EXIF_TEXT = "Raw profile type exif"  # of a PNG by ImageMagick
_BITS, _PHOTOMETRIC, _PLANAR, _SAMPLE_FORMAT = 258, 262, 284, 339  # tags of a TIFF
_SHALLOW = {"L;2": 85, "L;4": 17}  # by what Pillow multiplies greys of 2 and of 4 bits
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


def check_kind(image: Image.Image) -> None:
    """Refuse pixels that Pillow reads wrongly, and put right what it says of a PNG.

    The one clear grey of a PNG of 2 or 4 bits is brought to the range of the pixels.

    Args:
        image: As the decoder opened it, before its pixels are decoded.

    Raises:
        ImageError: It is a TIFF of deep colours in planes or of signed bytes, or a PNG one of
            whose deep colours is clear.
    """
    if image.format == "TIFF":
        _check_samples(image)
    clear = image.info.get("transparency")
    if image.format != "PNG" or clear is None or not image.tile:
        return
    raw_mode = image.tile[0].args
    if raw_mode == "RGB;16B":
        raise ImageError(
            "one of its colours of 16 bits is transparent, which is not read; save it with alpha, "
            "or with 8 bits"
        )
    if raw_mode in _SHALLOW and isinstance(clear, int):
        image.info["transparency"] = clear * _SHALLOW[raw_mode]


def _check_samples(image):
    bits, formats = _tag(image, _BITS), _tag(image, _SAMPLE_FORMAT)
    if len(bits) > 1 and max(bits) > 8 and _tag(image, _PLANAR) == (2,):
        raise ImageError(
            "its colours of 16 bits lie in planes, which is not read; save it with 8 bits, or with "
            "the colours of a pixel together"
        )
    if formats[:1] == (2,) and bits[:1] == (8,):
        raise ImageError("its pixels are signed integers, whose range is not known")


def _tag(image, number):
    """Return the values of a tag of a TIFF, none where there is no such tag."""
    value = getattr(image, "tag_v2", {}).get(number, ())
    return value if isinstance(value, tuple) else (value,)


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
    image = _eight_bit(image)
    return turned_upright(image, orientation_of(image))


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
    pixels = np.array(to_mode(image, MODES[channels]))
    return pixels.reshape(*pixels.shape[:2], channels)


def _eight_bit(image):
    """Scale deep grey pixels to 8 bit; Pillow itself would clip them at 255."""
    if image.mode == "F":
        raise ImageError("its pixels are floating-point numbers, whose range is not known")
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.int64)
    # Pillow's mode I is also 16 bits of a PGM.
    if values.min() < 0 or values.max() > 65535 or (image.format, image.mode) == ("TIFF", "I"):
        raise ImageError("its pixels are 32-bit or signed integers, whose range is not known")
    if _tag(image, _PHOTOMETRIC) == (0,):
        values = 65535 - values  # white is 0, which Pillow heeds up to 8 bits
    grey = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
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
        if image.format == "TIFF" or image.info.get(_EXIF_TEXT):
            return image.getexif().get(_EXIF_ORIENTATION)
        # Not by XMP, as `getexif` does where EXIF says nothing: browsers and servers do not.
        exif = Image.Exif()
        exif.load(image.info.get("exif"))
        return exif.get(_EXIF_ORIENTATION)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error):
        return None  # damaged notes about the pixels do not spoil the pixels


def to_mode(image: Image.Image, mode: str) -> Image.Image:
    """Return a Pillow image in another mode, with alpha laid over white where it has none.

    Args:
        image: Of a mode of 8 bit.
        mode: "L", "RGB" or "RGBA".
    """
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if mode != "RGBA":
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
    elif image.mode in ("CMYK", "LAB") and mode != "RGB":
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
    resized = as_pillow(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.array(resized).reshape(height, width, image.shape[2])


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a map of class numbers by nearest neighbour.

    In whole numbers, as the exported graph does: Pillow adds up parts of numbers, and is off by
    a row where two neighbours are equally near.

    Args:
        mask: A uint8 array of shape `(height, width)`.
        size: The new `(height, width)`.

    Returns:
        A uint8 array of shape `size`.
    """
    for axis, length in enumerate(size):
        places = (2 * np.arange(length) + 1) * mask.shape[axis] // (2 * length)
        mask = mask.take(places, axis)
    return mask


def as_pillow(image: np.ndarray) -> Image.Image:
    """Return pixels as a Pillow image.

    Args:
        image: A uint8 array of shape `(height, width, channels)` with 1, 3 or 4 channels.

    Raises:
        ValueError: It is none.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in MODES:
        raise ValueError(
            "An image must be a uint8 array of shape (height, width, channels) with 1, 3 or 4 "
            f"channels; received {image.dtype} of shape {image.shape}."
        )
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
