"""What clients send as files, read in the graph: notes of EXIF, and what damaged files say."""

import io
from fractions import Fraction

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_dtl.export.pixels.decoding import _decoder, decode_upright
from keras_dtl.export.pixels.resampling import resize, resize_nearest
from keras_dtl.images import read_image, resize_mask
from tests.export.test_file_corpus import encoded, picture
from tests.image_files import png

LITTLE = b"II*\0\x08\0\0\0"
BIG = b"MM\0*\0\0\0\x08"


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def in_colour(data):
    return decode_upright(data, 3)


def check(data):
    received = in_colour(tf.constant(data)).numpy()
    np.testing.assert_array_equal(received, read_image(data, 3))


def notes(orientation, order="little", kind=3):
    """Return EXIF notes with the orientation as the second of two entries."""

    def entry(tag, value):
        size = 2 if kind == 3 else 4
        number = value.to_bytes(size, order).ljust(4, b"\0")
        return tag.to_bytes(2, order) + kind.to_bytes(2, order) + (1).to_bytes(4, order) + number

    entries = entry(0x0100, 7) + entry(0x0112, orientation)
    head = LITTLE if order == "little" else BIG
    return b"Exif\0\0" + head + (2).to_bytes(2, order) + entries + bytes(4)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_every_kind_of_file(kind, orientation):
    image = picture(9, 14).convert("RGB")
    order = ("little", "big")[orientation % 2]
    options = {"lossless": True} if kind == "WEBP" else {}
    check(encoded(image, kind, exif=notes(orientation, order), **options))


def test_orientation_stated_as_a_long_number():
    data = encoded(picture(9, 14).convert("RGB"), "JPEG", exif=notes(6, "big", kind=4))
    assert decode_upright(tf.constant(data), 3).shape == (14, 9, 3)


def test_other_notes_of_a_jpeg_are_passed_over():
    data = encoded(picture(9, 14).convert("RGB"), "JPEG", exif=notes(6), comment=b"Exif\0\0" * 9)
    other = b"\xff\xe1\x00\x10http://ns.ado\0"
    check(data[:2] + other + b"\xff" + data[2:])


def test_gif_with_comments_and_more_frames():
    first = picture(9, 14).convert("RGB").quantize(16)
    file = io.BytesIO()
    options = {"save_all": True, "append_images": [first.rotate(180)], "loop": 0, "duration": 100}
    first.save(file, "GIF", comment=b"x!," * 300, **options)
    check(file.getvalue())


@pytest.mark.parametrize("place", [b"\xff\xff\xff\x7f", b"\x36\0\0\xd0"])
def test_a_bmp_whose_pixels_lie_outside_is_refused_in_words(place):
    data = encoded(picture(9, 14).convert("RGB"), "BMP")
    with pytest.raises(tf.errors.InvalidArgumentError):  # no UnicodeDecodeError of the bytes in it
        decode_upright(tf.constant(data[:10] + place + data[14:]), 3)


def test_images_of_the_right_size_are_not_resampled():
    clear = np.asarray(picture(9, 14).convert("RGBA"))
    np.testing.assert_array_equal(resize(tf.constant(clear), (9, 14)), clear)
    expected = np.asarray(Image.fromarray(clear).resize((14, 5), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(resize(tf.constant(clear), (5, 14)), expected)


def test_the_graph_stays_small():
    """Its operations are what exports and loading take time for."""
    graph = _decoder().graph.as_graph_def()
    functions = graph.library.function
    assert len(graph.node) + sum(len(function.node_def) for function in functions) <= 640
    assert len(functions) <= 15


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_one_clear_grey_of_a_png(bits):
    values = np.random.default_rng(0).integers(0, 2**bits, (9, 14, 1))
    data = png(values, 0, bits, (b"tRNS", int(values[0, 0, 0]).to_bytes(2, "big")))
    for channels in (1, 3, 4):
        served = decode_upright(tf.constant(data), channels)
        np.testing.assert_array_equal(served, read_image(data, channels))


@pytest.mark.parametrize("others", [b"\0", b"\x10", b"\x2c"])
def test_an_animated_webp_is_refused(others):
    """By the flag in its header, whatever flags are beside it, and before anything decodes it."""
    flags = bytes([others[0] | 2, 0, 0, 0])
    header = b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + flags + bytes(6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="WebP files that are animations"):
        decode_upright(tf.constant(header), 3)


def test_cmyk_without_a_mark_is_refused():
    """Pillow takes it for inverted, as Adobe writes it, and TensorFlow does not."""
    data = encoded(picture(9, 14).convert("CMYK"), "JPEG")
    place = data.index(b"\xff\xee")
    length = int.from_bytes(data[place + 2 : place + 4], "big") + 2
    with pytest.raises(tf.errors.InvalidArgumentError, match="without Adobe"):
        decode_upright(tf.constant(data[:place] + data[place + length :]), 3)


def test_an_orientation_of_another_type_is_none():
    data = encoded(picture(9, 14).convert("RGB"), "JPEG", exif=notes(6, kind=1))
    check(data)
    assert decode_upright(tf.constant(data), 3).shape == (9, 14, 3)


def test_damaged_bmps_are_refused_in_words_and_missing_colors_are_black():
    data = encoded(picture(9, 14).convert("RGB").quantize(4), "BMP")
    with pytest.raises(tf.errors.InvalidArgumentError, match="truncated or damaged"):
        decode_upright(tf.constant(data[:-9]), 3)
    end = len(data) - 9 * 16
    check(data[:end] + b"\x07" * (9 * 16))


def test_masks_are_resized_as_a_conversion_does_it_where_two_neighbours_are_equally_near():
    sizes = [(48, 180), (64, 240), (64, 180), (25, 60), (90, 90), (128, 7), (37, 1080)]
    for number, length in sizes:
        mask = np.arange(number, dtype="uint8")[:, None]
        expected = mask[[int((i + Fraction(1, 2)) * number / length) for i in range(length)]]
        np.testing.assert_array_equal(resize_mask(mask, (length, 1)), expected)
        for maps, size in ((mask, (length, 1)), (mask.T, (1, length))):
            received = resize_nearest(tf.constant(maps[None]), size)[0]
            np.testing.assert_array_equal(received, resize_mask(maps, size))
