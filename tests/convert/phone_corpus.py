"""A folder as phones and browsers fill it, made from one scene whose colours are known.

The upright scene is four fields: red and green above, blue and grey below. Whatever format,
depth, profile and turn a file has, it must be read as that. Files with the profile Display P3
hold other numbers for the same colours, which `--profile srgb` brings back.
"""

import io
import struct

import numpy as np
from PIL import Image

SCENE = np.zeros((48, 64, 3), "uint8")
SCENE[:24, :32], SCENE[:24, 32:] = (200, 30, 30), (30, 160, 40)
SCENE[24:, :32], SCENE[24:, 32:] = (30, 50, 180), (128, 128, 128)
WHITE = (0.9642, 1.0, 0.8249)
# Primaries as profiles hold them, seen under that white: red, green and blue in X, Y and Z.
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))
DISPLAY_P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
# The stored pixels of each EXIF orientation, from the upright ones.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def light_of(values):
    """Return the light that numbers of sRGB, and of Display P3, stand for, both in 0..1."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def in_display_p3(scene):
    """Return the numbers that stand for the colours of a scene in Display P3."""
    light = light_of(scene / 255) @ np.array(SRGB) @ np.linalg.inv(DISPLAY_P3)
    light = np.clip(light, 0, 1)
    values = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * values).astype("uint8")


def display_p3_profile():
    """Return an ICC profile of version 2: three primaries and one curve of 1024 points."""
    curve = np.rint(65535 * light_of(np.arange(1024) / 1023)).astype(">u2").tobytes()
    places = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt"), (*DISPLAY_P3, WHITE), strict=True))
    tags = {
        name: b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in xyz))
        for name, xyz in places.items()
    }
    tags |= dict.fromkeys(
        (b"rTRC", b"gTRC", b"bTRC"), b"curv" + struct.pack(">2I", 0, 1024) + curve
    )
    words = b"Display P3\0"
    tags[b"desc"] = b"desc" + struct.pack(">2I", 0, len(words)) + words + bytes(79)
    tags[b"cprt"] = b"text\0\0\0\0none\0"
    table, body, offset = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">2I", offset + len(body), len(data))
        body += data
    about = b"none" + b"\x02\x10\0\0" + b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    about += struct.pack(">3i", *(round(65536 * value) for value in WHITE))
    about += bytes(124 - len(about))
    return struct.pack(">I", 128 + len(table) + len(body)) + about + table + body


def stored(orientation, scene=SCENE):
    """Return the pixels that are stored, and the EXIF that says how to turn them."""
    exif = Image.Exif()
    exif[0x010F] = "Phone"
    exif[0x0112] = orientation
    upright, turn = Image.fromarray(scene), STORED[orientation]
    return (upright if turn is None else upright.transpose(turn)), exif.tobytes()


def jpeg(orientation, scene=SCENE, **options):
    picture, exif = stored(orientation, scene)
    return _saved(picture, "JPEG", exif=exif, quality=95, subsampling=0, **options)


def mpo(orientation):
    """Two views in one file, as phones with two lenses write them."""
    picture, exif = stored(orientation)
    return _saved(
        picture, "MPO", exif=exif, quality=95, subsampling=0, save_all=True, append_images=[picture]
    )


def ultra_hdr(orientation):
    """A JPEG whose brighter copy, a gain map, lies behind it."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description hdrgm:Version="1.0"/></x:xmpmeta>'
    gain = _saved(Image.new("L", (16, 12), 90), "JPEG")
    return jpeg(orientation, xmp=xmp) + gain


def webp(orientation):
    picture, exif = stored(orientation)
    return _saved(picture, "WEBP", exif=exif, lossless=True)


def avif(orientation):
    picture, exif = stored(orientation)
    return _saved(picture, "AVIF", exif=exif, quality=95, subsampling="4:4:4")


def png(orientation):
    picture, exif = stored(orientation)
    return _saved(picture, "PNG", exif=exif)


def heic(orientation, depth=8, scene=SCENE, **options):
    """An HEIC file; a turn lies in its container, as pillow_heif writes it from EXIF."""
    import pillow_heif

    picture, exif = stored(orientation, scene)
    file = io.BytesIO()
    if depth == 8:
        image = pillow_heif.from_pillow(picture)
    else:
        deep = (np.asarray(picture).astype("uint16") * 257) >> 6 << 6
        image = pillow_heif.from_bytes("RGB;16", picture.size, deep.tobytes())
    options = options or {"save_nclx_profile": True}
    image.save(file, quality=95, chroma=444, exif=exif, **options)
    return file.getvalue()


def display_p3(orientation):
    return jpeg(orientation, in_display_p3(SCENE), icc_profile=display_p3_profile())


def heic_display_p3(orientation):
    profile = {"icc_profile": display_p3_profile()}
    return heic(orientation, 8, in_display_p3(SCENE), **profile)


def _saved(picture, name, **options):
    file = io.BytesIO()
    picture.save(file, name, **options)
    return file.getvalue()


def phone_files(heif=True):
    """Yield `(name, bytes)` of 100 files."""
    kinds = [
        ("IMG_{:04}.JPG", jpeg),
        ("chrome{:03}.jfif", jpeg),
        ("old{:03}.jpe", jpeg),
        ("dual{:03}.jpg", mpo),
        ("bright{:03}.jpg", ultra_hdr),
        ("wide{:03}.jpeg", display_p3),
        ("web{:03}.avif", avif),
        ("web{:03}.webp", webp),
        ("screen{:03}.PNG", png),
    ]
    if heif:
        kinds += [
            ("IMG_9{:03}.HEIC", heic),
            ("renamed{:03}.jpg", heic),
            ("deep{:03}.heic", lambda orientation: heic(orientation, 10)),
            ("wide{:03}.HEIC", heic_display_p3),
        ]
    for index in range(100):
        name, make = kinds[index % len(kinds)]
        yield name.format(index), make(1 + index // len(kinds) % 8)
