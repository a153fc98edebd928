"""What goes beside the pixels of an image, and comes back with its output."""

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageCms

from keras_dtl.convert import Options, convert_folder
from keras_dtl.convert.image_files.reading import pictures
from keras_dtl.convert.single import convert_bytes
from keras_dtl.images import encode_image, read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile():
    """A profile whose red is green and whose green is red."""
    data = bytearray(srgb_profile())
    for place in range(128, 128 + 12 * 30, 1):
        if bytes(data[place : place + 4]) in (b"rXYZ", b"gXYZ"):
            data[place : place + 1] = b"g" if data[place : place + 1] == b"r" else b"r"
    return bytes(data)


def save(path, picture=None, **options):
    path.parent.mkdir(exist_ok=True)
    (picture or Image.fromarray(PIXELS)).save(path, **options)


def converted(artifact, path, tmp_path, **options):
    report = convert_folder(artifact, path, tmp_path / "out", **options)
    assert report.exit_status == 0, report.failed
    (output,) = (tmp_path / "out").glob(f"{path.stem}.*")
    image = Image.open(output)
    image.load()
    return image


def notes():
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a description", 6
    return exif


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_notes_are_kept_and_the_image_is_upright(negative, tmp_path, suffix):
    path = tmp_path / "in" / f"a.{suffix}"
    path.parent.mkdir()
    tags = {"exif": notes().tobytes(), "xmp": b"<x:xmpmeta/>"}
    path.write_bytes(encode_image(PIXELS, path.suffix, tags=tags))
    image = converted(negative, path, tmp_path, format="same")
    assert image.size == (8, 12)
    assert image.getexif()[0x010E] == "a description"
    assert 0x0112 not in image.getexif()
    assert b"xmpmeta" in image.info["xmp"]


def test_notes_are_dropped_by_choice(negative, tmp_path):
    save(tmp_path / "in" / "a.jpg", exif=notes(), icc_profile=srgb_profile())
    image = converted(
        negative, tmp_path / "in" / "a.jpg", tmp_path, metadata="drop", profile="drop"
    )
    assert not len(image.getexif())
    assert "icc_profile" not in image.info


def test_notes_too_long_for_a_jpeg_are_left_out(negative, tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "x" * 100_000
    save(tmp_path / "in" / "a.png", exif=exif)
    image = converted(negative, tmp_path / "in" / "a.png", tmp_path, format="jpg")
    assert not len(image.getexif())


@pytest.mark.parametrize("format", ["png", "jpg", "webp", "tif"])
def test_colour_profile_is_kept_with_the_pixels(negative, tmp_path, format):
    profile = swapped_profile()  # which holds the second at which it was made
    save(tmp_path / "in" / "a.png", icc_profile=profile)
    image = converted(negative, tmp_path / "in" / "a.png", tmp_path, format=format)
    assert image.info["icc_profile"] == profile


def test_colours_are_converted_to_srgb_by_choice(negative, tmp_path):
    save(tmp_path / "in" / "a.png", icc_profile=swapped_profile())
    image = converted(negative, tmp_path / "in" / "a.png", tmp_path, profile="srgb")
    swapped = 255 - PIXELS[:, :, [1, 0, 2]].astype(int)
    assert np.abs(np.asarray(image) - swapped).max() <= 2
    assert "icc_profile" not in image.info


def test_profile_of_other_channels_is_not_kept(negative, tmp_path):
    profile = bytearray(srgb_profile())
    profile[16:20] = b"CMYK"
    picture = Image.fromarray(PIXELS).convert("CMYK")
    save(tmp_path / "in" / "a.jpg", picture, icc_profile=bytes(profile))
    image = converted(negative, tmp_path / "in" / "a.jpg", tmp_path)
    assert "icc_profile" not in image.info


def test_transparency_goes_with_the_image(negative, tmp_path):
    whole = np.dstack([PIXELS, np.arange(96, dtype=np.uint8).reshape(8, 12)])
    save(tmp_path / "in" / "a.png", Image.fromarray(whole))
    image = np.asarray(converted(negative, tmp_path / "in" / "a.png", tmp_path))
    np.testing.assert_array_equal(image[..., 3], whole[..., 3])
    np.testing.assert_array_equal(image[..., :3], 255 - PIXELS)


def test_transparency_is_laid_over_white_where_it_cannot_go(negative, tmp_path):
    clear = Image.new("RGBA", (8, 8), (10, 20, 30, 0))
    save(tmp_path / "in" / "a.png", clear)
    path = tmp_path / "in" / "a.png"
    for options in ({"format": "jpg"}, {"format": "png", "alpha": "white"}):
        report = convert_folder(negative, path, tmp_path / options["format"], **options)
        assert report.exit_status == 0
        image = Image.open(tmp_path / options["format"] / f"a.{options['format']}")
        assert image.mode == "RGB"
        assert np.asarray(image).max() <= 2  # the negative of white


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_a_pipe_lays_transparency_over_white_where_a_folder_does(negative, suffix):
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), (10, 20, 30, 0)).save(file, "PNG")
    image = read_image(convert_bytes(negative, file.getvalue(), Options(), suffix))
    assert image.max() <= 2  # the negative of white


def test_a_classifier_sees_the_same_through_a_pipe_as_in_a_folder(classifier, tmp_path):
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    save(tmp_path / "in" / "a.png", clear)
    convert_folder(classifier, tmp_path / "in", tmp_path / "out", format="jsonl")
    expected = json.loads((tmp_path / "out" / "predictions.jsonl").read_text())
    data = (tmp_path / "in" / "a.png").read_bytes()
    assert json.loads(convert_bytes(classifier, data, Options(), name="a.png")) == expected
    assert json.loads(convert_bytes(classifier, data, Options())) == {**expected, "file": "-"}
    assert expected["probability"] < 0.4  # white is no more red than blue


def test_pixels_are_counted_before_they_are_decoded():
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    counted = []
    list(pictures(file.getvalue(), 3, Options(), False, counted.append))
    assert counted == [96]
