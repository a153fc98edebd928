"""The formats of image files: which are read, which are written, and by what suffixes."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Decoder:
    """How a format is read.

    Args:
        suffixes: Of its files.
        signature: Regular expression of what a file begins with, within 64 bytes.
        image_file: Module and name of the `PIL.ImageFile.ImageFile` that decodes it; the module
            is imported with the first such file.
    """

    suffixes: tuple[str, ...]
    signature: bytes
    image_file: tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Encoder:
    """How a format is written, by Pillow's `save`.

    Args:
        suffixes: Of its files.
        alpha: Whether it can hold transparency.
    """

    suffixes: tuple[str, ...]
    alpha: bool


# One line for each format that is read, by its name. Decoders for anything else (there are many,
# and rarely exercised ones) are never run.
DECODERS = {
    "AVIF": Decoder(
        (".avif",),
        rb"....ftyp(avi[fs]|mif1.{4}(.{4})*?avi[fs])",
        ("PIL.AvifImagePlugin", "AvifImageFile"),
    ),
    "BMP": Decoder((".bmp",), rb"BM", ("PIL.BmpImagePlugin", "BmpImageFile")),
    "GIF": Decoder((".gif",), rb"GIF8[79]a", ("PIL.GifImagePlugin", "GifImageFile")),
    "HEIC": Decoder(
        (".heic", ".heif", ".hif"),
        rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)",
        ("pillow_heif", "HeifImageFile"),
    ),
    "JPEG": Decoder(
        (".jpg", ".jpeg", ".jpe", ".jfif"),
        rb"\xff\xd8\xff",
        ("PIL.JpegImagePlugin", "JpegImageFile"),
    ),
    "PNG": Decoder((".png",), rb"\x89PNG\r\n\x1a\n", ("PIL.PngImagePlugin", "PngImageFile")),
    "PPM": Decoder((".pbm", ".pgm", ".ppm"), rb"P[0-6fy]", ("PIL.PpmImagePlugin", "PpmImageFile")),
    "TIFF": Decoder(
        (".tif", ".tiff"),
        rb"(II|MM)(\*\0|\0\*)|MM\0\+|II\+\0",
        ("PIL.TiffImagePlugin", "TiffImageFile"),
    ),
    "WEBP": Decoder((".webp",), rb"RIFF....WEBPVP8[ LX]", ("PIL.WebPImagePlugin", "WebPImageFile")),
}
# And one for each that is written.
ENCODERS = {
    "AVIF": Encoder((".avif",), alpha=True),
    "BMP": Encoder((".bmp",), alpha=False),
    "GIF": Encoder((".gif",), alpha=True),
    "JPEG": Encoder((".jpg", ".jpeg", ".jpe", ".jfif"), alpha=False),
    "PNG": Encoder((".png",), alpha=True),
    "PPM": Encoder((".pbm", ".pgm", ".ppm"), alpha=False),
    "TIFF": Encoder((".tif", ".tiff"), alpha=True),
    "WEBP": Encoder((".webp",), alpha=True),
}


# Suffixes of pictures that are not read: a folder of them is no folder of something else.
UNREAD_SUFFIXES = frozenset(
    (
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf"),
        *(".raw", ".rw2", ".sr2", ".srw"),  # cameras
        *(".j2k", ".jp2", ".jpf", ".jpx", ".jxl", ".jxr", ".qoi", ".tga", ".pcx", ".sgi", ".pnm"),
        *(".exr", ".hdr", ".dcm", ".ico", ".icns", ".psb", ".psd", ".xcf"),
        *(".emf", ".eps", ".pict", ".svg", ".wmf"),  # drawings
    )
)


def readable_suffixes() -> frozenset[str]:
    """Return the suffixes of files that are taken for images, such as `".png"`."""
    return frozenset(suffix for decoder in DECODERS.values() for suffix in decoder.suffixes)


def writable_suffixes() -> frozenset[str]:
    """Return the suffixes of files that images can be written to."""
    return frozenset(suffix for encoder in ENCODERS.values() for suffix in encoder.suffixes)


def format_of(suffix: str) -> str:
    """Return the name of the format that is written to files with a suffix.

    Args:
        suffix: Such as `".png"`.

    Raises:
        ValueError: Nothing is written with it.
    """
    for name, encoder in ENCODERS.items():
        if suffix.lower() in encoder.suffixes:
            return name
    raise ValueError(
        f"Images cannot be written with the suffix {suffix.lower()!r}; "
        f"use one of {', '.join(sorted(writable_suffixes()))}."
    )


def has_alpha(suffix: str) -> bool:
    """Whether images that are written with a suffix can hold transparency.

    Args:
        suffix: Such as `".png"`.

    Raises:
        ValueError: Nothing is written with it.
    """
    return ENCODERS[format_of(suffix)].alpha
