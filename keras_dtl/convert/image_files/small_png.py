"""The short way for small, plain PNG files, of which folders hold tens of thousands.

Pillow spends far more time on opening such a file than on its pixels.
"""

import struct
import typing
import zlib

import numpy as np
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MODES = {0: "L", 2: "RGB"}  # by the colour type of the header
_PLAIN = (8, 0, 0, 0)  # bits, and the numbers of compression, filter and interlacing
_MOST_PIXELS = 2**16
_CHUNK, _CHECKSUM, _HEADER = map(struct.Struct, (">I4s", ">I", ">IIBBBBB"))


class _NotPlain(ValueError):
    """There is more to the file than a header and pixels."""


class _Header(typing.NamedTuple):
    mode: str
    size: tuple


def read_small_png(data: bytes, channels: int) -> np.ndarray | None:
    """Decode a PNG file that holds nothing but 8-bit grey or RGB pixels.

    Args:
        data: The bytes of the file.
        channels: That the caller wants: 1 for grey files, 3 for both.

    Returns:
        The uint8 array of shape `(height, width, channels)` that `keras_dtl.images.read_image`
        returns, or `None` where anything asks for a closer look: another kind of pixels, notes, a
        profile, transparency, frames, more than 65,536 pixels, damage.
    """
    try:
        (mode, size), pixels = _parse(data)
        if (mode, channels) not in (("L", 1), ("L", 3), ("RGB", 3)):
            return None
        values = _decode(mode, size, pixels)
    # The last two where another Pillow has other inner functions: its public ones read the file.
    except (ValueError, struct.error, AttributeError, TypeError):
        return None
    array = np.frombuffer(values, np.uint8).reshape(size[1], size[0], -1)
    return array if array.shape[2] == channels else array.repeat(channels, 2)


def _decode(mode, size, pixels):
    """Return the bytes of the pixels, by what `Image.frombytes` and `Image.tobytes` call.

    These take as long to do so as decoding does, of which only this waits for no other thread.

    Raises:
        ValueError: The file is damaged.
    """
    image, box = Image.core.new(mode, size), (0, 0, *size)
    decoder = Image.core.zip_decoder(mode, mode, 0)
    decoder.setimage(image, box)
    taken, error = decoder.decode(pixels)
    if taken >= 0 or error:  # it waits for more
        raise _NotPlain
    encoder = Image.core.raw_encoder(mode, mode, 0, 1)
    encoder.setimage(image, box)
    values = encoder.encode(size[0] * size[1] * len(mode))[2]
    if len(values) != size[0] * size[1] * len(mode):
        raise _NotPlain
    return values


def _parse(data):
    """Return the header and the compressed pixels.

    Raises:
        struct.error: The file is truncated.
    """
    if not data.startswith(_SIGNATURE):
        raise _NotPlain
    header, pixels, place = None, [], len(_SIGNATURE)
    while True:
        length, kind = _CHUNK.unpack_from(data, place)
        end = place + 8 + length
        if _CHECKSUM.unpack_from(data, end)[0] != zlib.crc32(data[place + 4 : end]):
            raise _NotPlain
        if kind == b"IEND" and header is not None:
            return header, b"".join(pixels)
        if kind == b"IDAT" and header is not None:
            pixels.append(data[place + 8 : end])
        elif kind == b"IHDR" and header is None and length == 13:
            header = _header(data[place + 8 : end])
        else:
            raise _NotPlain
        place = end + 4


def _header(data):
    width, height, bits, color, *rest = _HEADER.unpack(data)
    if (bits, *rest) != _PLAIN or color not in _MODES or not 0 < width * height <= _MOST_PIXELS:
        raise _NotPlain
    return _Header(_MODES[color], (width, height))
