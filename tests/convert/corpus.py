"""A folder of everything that goes wrong with images, made anew for each test."""

import io
import os
import struct
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)


def encoded(kind="PNG", image=None, **options):
    file = io.BytesIO()
    (Image.fromarray(PIXELS) if image is None else image).save(file, kind, **options)
    return file.getvalue()


def write_corpus(folder):
    """Write good and bad inputs.

    Returns:
        The names of the good ones, and of the bad ones a word of the reason each.
    """
    good, bad = _good(), _bad()
    for name, data in {**good, **{name: data for name, (data, _) in bad.items()}}.items():
        path = folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    reasons = {name: reason for name, (_, reason) in bad.items()}
    return sorted(good), reasons | _special(folder)


def _good():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "x" * 60_000
    deep = Image.fromarray(np.linspace(0, 65535, 480).astype(np.uint16).reshape(24, 20))
    palette = Image.fromarray(PIXELS).quantize(16)
    damaged_notes = encoded("JPEG", exif=b"Exif\0\0" + b"garbage" * 20)
    return {
        b"plain.png": encoded(),
        b"plain.jpg": encoded("JPEG"),
        b"progressive.jpeg": encoded("JPEG", progressive=True),
        b"UPPER.JPG": encoded("JPEG"),
        b"wrong extension.tif": encoded("JPEG"),
        b"jpeg named.bmp": encoded("JPEG"),
        b"cmyk.jpg": encoded("JPEG", Image.fromarray(PIXELS).convert("CMYK")),
        b"deep.png": encoded("PNG", deep),
        b"deep.tiff": encoded("TIFF", deep),
        b"palette.gif": encoded("GIF", palette),
        b"palette.png": encoded("PNG", palette, transparency=3),
        b"bilevel.png": encoded("PNG", Image.fromarray(PIXELS).convert("1")),
        b"grey alpha.webp": encoded("WEBP", Image.fromarray(PIXELS).convert("LA")),
        b"huge exif.jpg": encoded("JPEG", exif=exif),
        b"damaged exif.jpg": damaged_notes,
        b"garbage after the end.jpg": encoded("JPEG") + b"garbage" * 1000,
        b"one pixel.bmp": encoded("BMP", Image.new("RGB", (1, 1))),
        b"one row.ppm": encoded("PPM", Image.new("RGB", (300, 1))),
        "ünïcödé 中文 🎨.png".encode(): encoded(),
        b"new\nline.png": encoded(),
        b"no utf-8 \xff\xfe.png": encoded(),
        b" spaces .png": encoded(),
        b"[brackets]*?.png": encoded(),
        b"--flag.png": encoded(),
        b"<script>&quot;.png": encoded(),
        b"a" * 250 + b".png": encoded(),
        b"sub/folder.jpg/inside.png": encoded(),
    }


def _bad():
    png, jpeg = encoded(), encoded("JPEG")
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    frames = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (0, 128, 255)]
    moving = {"save_all": True, "append_images": frames[1:], "duration": 50}
    cut = {
        kind.lower(): encoded(kind, Image.fromarray(noise))
        for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
    }
    unread = "cannot be read as an image"
    return {
        b"empty.png": (b"", unread),
        b"zeros.png": (bytes(1000), unread),
        b"one byte.jpg": (b"\xff", unread),
        b"text.jpg": (b"no image, just text\n" * 40, unread),
        b"page.png": (b"<!doctype html><title>404</title>", unread),
        b"archive.png": (b"PK\x03\x04" + bytes(100), unread),
        b"program.jpg": (b"\x7fELF" + bytes(100), unread),
        b"vector.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", unread),
        b"document.jpg": (b"%PDF-1.7\n", unread),
        b"script.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", unread),
        b"icon.png": (encoded("ICO"), "not one of the formats"),
        **{f"cut.{kind}".encode(): (data[: len(data) // 2], unread) for kind, data in cut.items()},
        b"head only.png": (png[:8], unread),
        b"head only.jpg": (jpeg[:4], unread),
        b"no pixels.png": (png[:33], unread),
        b"bit flip.png": (_flipped(png), unread),
        b"wrong sum.png": (png[:29] + b"\0\0\0\0" + png[33:], unread),
        b"bomb.png": (_header(100_000, 100_000), "exceed the limit"),
        b"wide bomb.png": (_header(2**31 - 1, 1), "exceed the limit"),
        b"bomb.gif": (_gif(65535, 65535), "exceed the limit"),
        b"bomb.bmp": (_bitmap(60_000, 60_000), "exceed the limit"),
        b"bomb.ppm": (b"P6 99999 99999 255\n", "exceed the limit"),
        b"zero size.png": (_header(0, 0), unread),
        b"negative.bmp": (_bitmap(-5, 5), unread),
        b"text bomb.png": (_text_bomb(), unread),
        b"floating.tif": (encoded("TIFF", Image.new("F", (4, 4), 0.5)), "range is not known"),
        b"deep integers.tif": (encoded("TIFF", Image.new("I", (4, 4), 10**6)), "range is not"),
        b"moving.gif": (encoded("GIF", frames[0], **moving), "an animation of 3 frames"),
        b"moving.png": (encoded("PNG", frames[0], **moving), "an animation of 3 frames"),
        b"moving.webp": (encoded("WEBP", frames[0], **moving), "an animation of 3 frames"),
        b"moving.avif": (encoded("AVIF", frames[0], **moving), "an animation of 3 frames"),
        b"pages.tif": (encoded("TIFF", frames[0], **moving), "an animation of 3 frames"),
        b"loop.tif": (_looping_tiff(), unread),
    }


def _flipped(png):
    data = bytearray(png)
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def _header(width, height):
    """A PNG that claims a size and holds nothing."""
    file = io.BytesIO()
    file.write(b"\x89PNG\r\n\x1a\n")
    PngImagePlugin.putchunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    PngImagePlugin.putchunk(file, b"IDAT", zlib.compress(bytes(100)))
    PngImagePlugin.putchunk(file, b"IEND", b"")
    return file.getvalue()


def _text_bomb():
    file = io.BytesIO()
    file.write(b"\x89PNG\r\n\x1a\n")
    PngImagePlugin.putchunk(file, b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
    PngImagePlugin.putchunk(file, b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**26)))
    return file.getvalue()


def _bitmap(width, height):
    head = struct.pack("<2sIHHI", b"BM", 54, 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def _gif(width, height):
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0)
    return head + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x01\x00\x00;"


def _looping_tiff():
    """A TIFF whose directory says that the next directory is itself."""
    entries = [(256, 3, 1, 4), (257, 3, 1, 4)]
    data = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(entries))
    for tag, kind, count, value in entries:
        data += struct.pack("<HHII", tag, kind, count, value)
    return data + struct.pack("<I", 8)


def _special(folder):
    """What no content makes: links, rights, and files that are none."""
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "two a.png").symlink_to(folder / "two b.png")
    (folder / "two b.png").symlink_to(folder / "two a.png")
    (folder / "broken link.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "to folder").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")  # left out: reading it would wait for ever
    reasons = {
        b"loop.png": "symbolic links",
        b"two a.png": "symbolic links",
        b"two b.png": "symbolic links",
        b"broken link.jpg": "No such file",
    }
    (folder / "unreadable.png").write_bytes(encoded())
    (folder / "unreadable.png").chmod(0)
    if os.geteuid() == 0:  # whom no right keeps out
        (folder / "unreadable.png").unlink()
        (folder / "unreadable.png").symlink_to("/proc/self/mem")
        return reasons | {b"unreadable.png": "Input/output error"}
    return reasons | {b"unreadable.png": "Permission denied"}
