"""Kinds of files that Pillow reads otherwise than they are meant: read right, or refused."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_dtl.images import ImageError, read_image
from tests.image_files import png, tiff

SIZE = (5, 7)
DEEP = np.random.default_rng(0).integers(0, 65536, (*SIZE, 3))
SHOWN = ((DEEP * 255 + 32767) // 65535).astype("uint8")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_one_clear_grey_of_a_png(bits):
    values = DEEP[..., :1] >> (16 - bits)
    clear = int(values[2, 3, 0])
    data = png(values, 0, bits, (b"tRNS", clear.to_bytes(2, "big")))
    alpha = np.where(values == clear, 0, 255)
    grey = (values * 255 + (2**bits - 1) // 2) // (2**bits - 1)
    expected = np.concatenate([grey, grey, grey, alpha], -1)
    np.testing.assert_array_equal(read_image(data, 4), expected)
    np.testing.assert_array_equal(read_image(data, 1), np.where(alpha, grey, 255))


def test_one_clear_color_of_a_png():
    values = DEEP >> 8
    clear = values[2, 3].astype(">u2").tobytes()
    alpha = read_image(png(values, 2, 8, (b"tRNS", clear)), 4)[..., 3]
    assert alpha[2, 3] == 0 and alpha.mean() > 200
    with pytest.raises(ImageError, match="one of its colours of 16 bits is transparent.*8 bits"):
        read_image(png(DEEP, 2, 16, (b"tRNS", DEEP[2, 3].astype(">u2").tobytes())))


def test_deep_tiff_files():
    grey = DEEP[..., 0].astype("<u2")
    expected = np.repeat(SHOWN[..., :1], 3, -1)
    np.testing.assert_array_equal(read_image(tiff([grey], 1, 16)), expected)
    np.testing.assert_array_equal(read_image(tiff([65535 - grey], 0, 16)), expected)
    together = read_image(tiff([DEEP.astype("<u2")], 2, 16))
    assert np.abs(together.astype(int) - SHOWN).max() <= 1
    with pytest.raises(ImageError, match="colours of 16 bits lie in planes"):
        read_image(tiff(list(DEEP.transpose(2, 0, 1).astype("<u2")), 2, 16))
    shallow = read_image(tiff(list((DEEP >> 8).transpose(2, 0, 1).astype("u1")), 2, 8))
    np.testing.assert_array_equal(shallow, DEEP >> 8)


@pytest.mark.parametrize(
    ("dtype", "kind"), [("<u4", 1), ("<i4", 2), ("<i2", 2), ("i1", 2), ("<f4", 3)]
)
def test_numbers_of_no_known_range_are_refused(dtype, kind):
    """Those of 32 bits below 65,536 were nearly black, signed bytes had wrapped around."""
    values = (DEEP[..., 0] % 100).astype(dtype)
    data = tiff([values], 1, values.itemsize * 8, [(339, kind)])
    with pytest.raises(ImageError, match="whose range is not known"):
        read_image(data)


def test_an_image_is_turned_by_exif_alone():
    """As browsers and `image_bytes` do; Pillow also turns by XMP in double quotes."""
    image, file = Image.new("RGB", (7, 5)), io.BytesIO()
    image.save(file, "JPEG", xmp=b'<x tiff:Orientation="6"/>')
    assert read_image(file.getvalue()).shape == (5, 7, 3)
