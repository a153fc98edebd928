"""What a photo says about itself: EXIF, XMP, IPTC, texts and resolution, true of the output."""

import contextlib
import re
import struct

from PIL import Image

_ORIENTATION = 0x0112
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)
# Tags of a TIFF that say what it shows; all others say how its own pixels lie.
_TIFF_TAGS = (
    *(0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298),
    *(0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),  # title, comment, author, keywords, subject
)
_IPTC_TAG, _IPTC_BLOCK = 0x83BB, 0x0404
_RAW = "Raw profile type "  # before the names of notes that ImageMagick writes into a PNG
_DAMAGE = (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error)


def notes_of(image: Image.Image, size: tuple[int, int], location: bool = True) -> dict:
    """Return the notes of an image as they are true of an upright image without thumbnail.

    Damaged notes are left out: they do not spoil the pixels.

    Args:
        image: A Pillow image whose pixels are decoded.
        size: Width and height of the upright image in pixels.
        location: Whether the place where a photo was taken is kept.

    Returns:
        What `keras_dtl.images.encode_image` takes as tags: `exif`, `xmp` and `iptc` as bytes,
        `dpi` as two numbers, `comment` as bytes, `text` as a dictionary of words.
    """
    notes = {}
    for name, read in (
        ("exif", lambda: _exif(image, size, location)),
        ("xmp", lambda: _xmp(image, size, location)),
        ("iptc", lambda: _iptc(image)),
        ("dpi", lambda: _dpi(image)),
        ("comment", lambda: _comment(image)),
        ("text", lambda: _text(image, location)),
    ):
        with contextlib.suppress(*_DAMAGE):
            if value := read():
                notes[name] = value
    return notes


def _exif(image, size, location):
    if image.format != "TIFF" and not any(map(image.info.get, ("exif", _RAW + "exif"))):
        return None
    exif = image.getexif()
    kept = _described(exif) if image.format == "TIFF" else exif
    kept.pop(_ORIENTATION, None)
    if not location:
        kept.pop(_GPS_IFD, None)
    inner = kept.get(_EXIF_IFD)
    inner = inner if isinstance(inner, dict) else kept.get_ifd(_EXIF_IFD)
    for tags, side in ((_WIDTHS, size[0]), (_HEIGHTS, size[1])):
        for tag in tags:
            for directory in (kept, inner):
                if tag in directory:
                    directory[tag] = side
    return kept.tobytes() if len(kept) else None


def _described(exif):
    """Return the tags of a TIFF that describe what it shows."""
    kept = Image.Exif()
    for tag in _TIFF_TAGS:
        if tag in exif:
            kept[tag] = exif[tag]
    for ifd in (_EXIF_IFD, _GPS_IFD):
        if values := dict(exif.get_ifd(ifd)):
            kept[ifd] = values
    return kept


def _xmp(image, size, location):
    xmp = image.info.get("xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if not isinstance(xmp, bytes) or not xmp:
        return None
    truths = [(rb"tiff:Orientation", b"1")]
    for names, side in (
        (rb"Width|PixelXDimension", size[0]),
        (rb"Length|PixelYDimension", size[1]),
    ):
        truths.append((rb"(?:tiff:Image(?=W|L)|exif:(?=P))(?:%b)" % names, b"%d" % side))
    for name, value in truths:
        xmp = re.sub(rb"(%b\s*=\s*[\"'])[^\"']*" % name, rb"\g<1>" + value, xmp)
        xmp = re.sub(rb"(<%b\s*>)[^<]*(?=<)" % name, rb"\g<1>" + value, xmp)
    if not location:
        # exif:GPSLatitude, and drone-dji:GpsLatitude.
        name, flags = rb"[\w-]+:GPS\w*", re.DOTALL | re.IGNORECASE
        xmp = re.sub(rb"\s+%b\s*=\s*(\"[^\"]*\"|'[^']*')" % name, b"", xmp, flags=flags)
        xmp = re.sub(rb"<(%b)\b[^>]*?(/>|>.*?</\1\s*>)" % name, b"", xmp, flags=flags)
    return xmp


def _iptc(image):
    """Return the records of IPTC, as a JPEG, a TIFF or a PNG holds them."""
    if raw := image.info.get(f"{_RAW}iptc"):
        data = bytes.fromhex("".join(str(raw).split()[2:]))  # after its kind and its length
        return _records_in(data) if data.startswith(b"8BIM") else data
    blocks = image.info.get("photoshop")
    if isinstance(blocks, dict) and isinstance(blocks.get(_IPTC_BLOCK), bytes):
        return blocks[_IPTC_BLOCK]
    value = getattr(image, "tag_v2", {}).get(_IPTC_TAG)
    if isinstance(value, tuple):  # some programs write numbers of 4 bytes
        value = b"".join(struct.pack("<I", number) for number in value)
    return value if isinstance(value, bytes) else None


def _records_in(blocks):
    """Return the records of IPTC among the blocks of Photoshop, or None."""
    place = 0
    while blocks[place : place + 4] == b"8BIM":
        (kind,) = struct.unpack_from(">H", blocks, place + 4)
        place += 6 + (1 + blocks[place + 6] + 1) // 2 * 2  # a name of even length with its length
        (length,) = struct.unpack_from(">I", blocks, place)
        if kind == _IPTC_BLOCK:
            return blocks[place + 4 : place + 4 + length]
        place += 4 + (length + 1) // 2 * 2
    return None


def _dpi(image):
    dpi = tuple(float(value) for value in image.info.get("dpi", ()))
    return dpi if len(dpi) == 2 and all(0 < value < 1e6 for value in dpi) else None


def _comment(image):
    comment = image.info.get("comment")
    if isinstance(comment, str):
        comment = comment.encode()
    return comment if image.format == "JPEG" and isinstance(comment, bytes) else None


def _text(image, location):
    text = getattr(image, "text", None)
    if image.format != "PNG" or not isinstance(text, dict):
        return None
    return {
        str(name): str(value)
        for name, value in text.items()
        # ImageMagick writes exif:GPSLatitude and the like.
        if location or "gps" not in str(name).lower()
        # These two travel as what they are.
        if name != "XML:com.adobe.xmp" and not name.startswith(_RAW)
    }
