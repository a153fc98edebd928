"""What clients send as files, read in the graph: notes of EXIF, and what damaged files say."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_dtl.export.decoding import _decoder, decode_upright
from keras_dtl.export.resampling import resize
from keras_dtl.images import read_image
from tests.export.test_file_corpus import encoded, picture

LITTLE = b"II*\0\x08\0\0\0"
BIG = b"MM\0*\0\0\0\x08"


def check(data):
    received = decode_upright(tf.constant(data), 3).numpy()
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
    assert len(graph.node) + sum(len(function.node_def) for function in functions) <= 600
    assert len(functions) <= 15
