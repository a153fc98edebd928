"""The short way through plain PNG files gives what Pillow gives, or leaves the file to it."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from keras_dtl.convert.image_files.small_png import read_small_png
from keras_dtl.images import read_image


def png(mode="RGB", size=(9, 5), seed=0, **options):
    shape = (size[1], size[0], len(mode)) if len(mode) > 1 else (size[1], size[0])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    # Smooth rows, of which each wants another of the filters of PNG.
    pixels[::2] = np.sort(pixels[::2], axis=1)
    file = io.BytesIO()
    Image.fromarray(pixels, mode).save(file, "PNG", **options)
    return file.getvalue()


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 3), ("L", 1)])
@pytest.mark.parametrize("size", [(1, 1), (9, 5), (256, 256)])
def test_plain_files_are_decoded_as_pillow_does(mode, channels, size):
    data = png(mode, size)
    np.testing.assert_array_equal(read_small_png(data, channels), read_image(data, channels))


def with_note():
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "a note")
    return png(pnginfo=note)


def with_orientation():
    exif = Image.Exif()
    exif[0x0112] = 6
    return png(exif=exif)


@pytest.mark.parametrize(
    ("data", "channels"),
    [
        (png("RGB"), 1),
        (png("RGBA"), 3),
        (png("L", transparency=0), 3),
        (png("RGB", (257, 256)), 3),
        (with_note(), 3),
        (with_orientation(), 3),
        (png(icc_profile=b"x" * 200), 3),
        (png("L", bits=4), 3),
        (png()[:-20], 3),
        (b"", 3),
        (b"\x89PNG\r\n\x1a\n", 3),
    ],
)
def test_what_asks_for_a_closer_look_is_left_to_pillow(data, channels):
    assert read_small_png(data, channels) is None


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 40))
def test_what_is_damaged_is_never_decoded_to_something_else(place, value, cut):
    data = bytearray(png("RGB", (9, 5)))
    data[place % len(data)] = value
    data = bytes(data[: len(data) - cut if cut > 20 else len(data)])
    found = read_small_png(data, 3)
    if found is not None:
        np.testing.assert_array_equal(found, read_image(data))


@pytest.mark.parametrize("core", [object(), type("Core", (), {"new": staticmethod(lambda: None)})])
def test_a_pillow_of_other_inner_functions_reads_files_by_its_public_ones(core, monkeypatch):
    data = png()
    assert read_small_png(data, 3) is not None
    monkeypatch.setattr(Image, "core", core)
    assert read_small_png(data, 3) is None
