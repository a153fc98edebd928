"""What image files hold beside their pixels, from EXIF to colour profiles, as it is written."""

import struct
from typing import Any

from PIL import Image

PROFILED = {b"RGB ": ("RGB", "RGBA"), b"GRAY": ("L", "LA")}  # modes by kind of profile
_JPEG_NOTE = 65_000  # bytes
_JPEG_PROFILE = 255 * 65_519  # bytes, of as many notes as it may take


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


def _fitting_profile(tags, mode):
    """Leave out a profile of colours beside grey pixels, and the other way round."""
    profile = tags.get("icc_profile")
    if profile is None or mode in PROFILED.get(profile[16:20], ()):
        return tags
    return {name: value for name, value in tags.items() if name != "icc_profile"}


def encoder_notes(tags: dict[str, Any], name: str, mode: str) -> dict[str, Any]:
    """Return what goes with the pixels in the form that a format's encoder takes.

    What the format cannot hold, or a profile of pixels of another kind, is left out.

    Args:
        tags: As `keras_dtl.images.encode_image` takes them.
        name: Of the format, such as `"PNG"`.
        mode: Pillow's, of the pixels, such as `"RGB"`.
    """
    tags = _fitting_profile(tags, mode)
    taken = {key: tags[key] for key in ("exif", "xmp", "icc_profile", "dpi") if key in tags}
    if name == "JPEG":
        taken |= {"comment": tags["comment"]} if "comment" in tags else {}
        taken = {k: v for k, v in taken.items() if k == "dpi" or len(v) < _most_bytes(k)}
        if "iptc" in tags and len(tags["iptc"]) < _JPEG_NOTE:
            taken["extra"] = _photoshop_segment(tags["iptc"])
    elif name == "PNG":
        taken["pnginfo"] = _png_info(tags)
    elif name == "TIFF":
        taken["exif"] = _tiff_tags(tags)
        taken.pop("xmp", None)
    elif name in ("AVIF", "WEBP") and "dpi" in tags:
        taken["exif"] = _exif_with_resolution(tags)
    return taken


def _most_bytes(key):
    """Return how many bytes a note of a JPEG stays below."""
    return _JPEG_PROFILE if key == "icc_profile" else _JPEG_NOTE


def _exif_with_resolution(tags):
    """Return EXIF that holds the resolution, where the format itself has no place for it."""
    exif = Image.Exif()
    if "exif" in tags:
        exif.load(tags["exif"])
    across, down = tags["dpi"]
    for number, value in ((0x011A, across), (0x011B, down), (0x0128, 2)):
        exif.setdefault(number, value)
    return exif.tobytes()


def _tiff_tags(tags):
    """Return all notes as tags of a TIFF."""
    exif = Image.Exif()
    if "exif" in tags:
        exif.load(tags["exif"])
    for number, value in ((0x02BC, tags.get("xmp")), (0x83BB, tags.get("iptc"))):
        if value:
            exif[number] = value
    return exif


def _photoshop_segment(iptc):
    """Return the segment of a JPEG that holds IPTC records, in Photoshop's block 0x0404."""
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    body = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def _png_info(tags):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    if "xmp" in tags:
        info.add_itxt("XML:com.adobe.xmp", tags["xmp"].decode("utf-8", "replace"))
    if "iptc" in tags:  # as ImageMagick and ExifTool write it
        data = tags["iptc"].hex()
        info.add_text("Raw profile type iptc", f"\niptc\n{len(tags['iptc']):8}\n{data}\n", zip=True)
    texts = dict(tags.get("text", {}))
    if "comment" in tags:
        texts.setdefault("Comment", tags["comment"].decode("utf-8", "replace"))
    for key, value in texts.items():
        info.add_itxt(key, value) if not value.isascii() else info.add_text(key, value)
    return info
