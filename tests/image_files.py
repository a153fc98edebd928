"""Image files written byte by byte, of kinds that Pillow writes none of."""

import struct
import zlib

import numpy as np


def png(values, color, bits, *chunks):
    """Return a PNG file.

    Args:
        values: Whole numbers `(height, width, channels)`.
        color: Kind of the colours: 0 grey, 2 RGB, 4 grey with alpha, 6 RGB with alpha.
        bits: Of each number.
        *chunks: `(kind, data)` of those before the pixels.
    """
    height, width = values.shape[:2]
    digits = (values[..., None] >> np.arange(bits)[::-1]) & 1
    rows = np.packbits(digits.reshape(height, -1).astype(np.uint8), axis=1)
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def tiff(planes, photometric, bits, tags=()):
    """Return a TIFF file without compression.

    Args:
        planes: List of arrays `(height, width)`, or one `(height, width, channels)` of colours
            that lie together.
        photometric: 0 or 1 for grey of which 0 is white or black, 2 for RGB.
        bits: Of each number.
        tags: Further ones, `(number, value)`.
    """
    height, width = planes[0].shape[:2]
    channels = len(planes) if planes[0].ndim == 2 else planes[0].shape[2]
    data = [np.ascontiguousarray(plane).tobytes() for plane in planes]
    known = [(256, [width]), (257, [height]), (258, [bits] * channels), (259, [1])]
    known += [(262, [photometric]), (277, [channels]), (278, [height])]
    known += [(284, [2 if len(planes) > 1 else 1]), *((number, [value]) for number, value in tags)]
    begin = 8 + 2 + 12 * (len(known) + 2) + 4
    arrays, entries = b"", []
    lengths = [len(part) for part in data]
    first = begin + 64
    offsets = [first + sum(lengths[:place]) for place in range(len(data))]
    for number, values in sorted([*known, (273, offsets), (279, lengths)]):
        kind, letter = (4, "I") if number in (273, 279) else (3, "H")
        packed = struct.pack(f"<{len(values)}{letter}", *values)
        if len(packed) > 4:
            packed, arrays = struct.pack("<I", begin + len(arrays)), arrays + packed
        entries.append(struct.pack("<HHI", number, kind, len(values)) + packed.ljust(4, b"\0"))
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + b"\0" * 4
    return head + arrays.ljust(64, b"\0") + b"".join(data)
