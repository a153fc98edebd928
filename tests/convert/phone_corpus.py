"""A folder as phones and browsers fill it, made from one scene whose colours are known.

The upright scene is four fields: red and green above, blue and grey below. Whatever format,
depth, profile and turn a file has, it must be read as that.
"""

import io

import numpy as np
from PIL import Image, ImageCms

SCENE = np.zeros((48, 64, 3), "uint8")
SCENE[:24, :32], SCENE[:24, 32:] = (200, 30, 30), (30, 160, 40)
SCENE[24:, :32], SCENE[24:, 32:] = (30, 50, 180), (128, 128, 128)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
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


def stored(orientation):
    """Return the pixels that are stored, and the EXIF that says how to turn them."""
    exif = Image.Exif()
    exif[0x010F] = "Phone"
    exif[0x0112] = orientation
    upright, turn = Image.fromarray(SCENE), STORED[orientation]
    return (upright if turn is None else upright.transpose(turn)), exif.tobytes()


def jpeg(orientation, **options):
    picture, exif = stored(orientation)
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


def heic(orientation, depth=8):
    """An HEIC file; a turn lies in its container, as pillow_heif writes it from EXIF."""
    import pillow_heif

    picture, exif = stored(orientation)
    file = io.BytesIO()
    if depth == 8:
        image = pillow_heif.from_pillow(picture)
    else:
        deep = (np.asarray(picture).astype("uint16") * 257) >> 6 << 6
        image = pillow_heif.from_bytes("RGB;16", picture.size, deep.tobytes())
    image.save(file, quality=95, chroma=444, exif=exif, save_nclx_profile=True)
    return file.getvalue()


def display_p3(orientation):
    return jpeg(orientation, icc_profile=SRGB)


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
        ]
    for index in range(100):
        name, make = kinds[index % len(kinds)]
        yield name.format(index), make(1 + index // len(kinds) % 8)
