"""Arrays to image files, whole or not at all."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_dtl.files import FilePath, atomic_path
from keras_dtl.images.formats import ENCODERS, format_of
from keras_dtl.images.notes import encoder_notes
from keras_dtl.images.pixels import as_pillow, to_mode

_PNG_LEVEL = 3  # of zlib: photos get as small as by its default, 6, in half the time


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
