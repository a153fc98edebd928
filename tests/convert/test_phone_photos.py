"""Photos of phones and browsers: all are converted, upright, in their colours."""

import dataclasses
import json
import sys

import numpy as np
import pytest
from PIL import Image

from keras_dtl.convert import convert_folder
from keras_dtl.images import ImageError, encode_image, read_image, read_profile
from keras_dtl.images.formats import DECODERS
from tests.convert import phone_corpus
from tests.convert.phone_corpus import SCENE, in_display_p3, phone_files

FIELDS = [(12, 16), (12, 48), (36, 16), (36, 48)]  # the middle of each


def check_upright(image, scene=SCENE):
    assert image.shape == scene.shape
    for place in FIELDS:
        np.testing.assert_allclose(image[place].astype(int), scene[place].astype(int), atol=6)


@pytest.mark.parametrize(
    "make",
    [
        phone_corpus.mpo,
        phone_corpus.ultra_hdr,
        phone_corpus.avif,
        phone_corpus.webp,
        phone_corpus.heic,
        lambda orientation: phone_corpus.heic(orientation, 10),
    ],
    ids=["mpo", "ultra hdr", "avif", "webp", "heic", "heic of 10 bit"],
)
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_photo_is_read_upright_in_its_colours(make, orientation):
    if "heic" in str(make) or make.__name__ == "<lambda>":
        pytest.importorskip("pillow_heif")
    check_upright(read_image(make(orientation)))


@pytest.mark.slow
def test_a_hundred_files_of_phones_are_all_converted(negative, tmp_path):
    pytest.importorskip("pillow_heif")
    (tmp_path / "in").mkdir()
    for name, data in phone_files():
        (tmp_path / "in" / name).write_bytes(data)
    report = convert_folder(negative, tmp_path / "in", tmp_path / "out", profile="srgb")
    assert (report.converted, report.failed, report.exit_status) == (100, (), 0)
    for path in (tmp_path / "out").glob("*.png"):
        check_upright(255 - read_image(path))
        with Image.open(path) as image:
            assert image.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("make", [phone_corpus.display_p3, phone_corpus.heic_display_p3])
def test_wide_colours_are_kept_with_their_profile_or_become_srgb(make, negative, tmp_path):
    if make is phone_corpus.heic_display_p3:
        pytest.importorskip("pillow_heif")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(make(6))
    profile = phone_corpus.display_p3_profile()
    assert read_profile(tmp_path / "in" / "a.jpg") == profile
    for chosen, scene, kept in (
        ("keep", in_display_p3(SCENE), profile),
        ("srgb", SCENE, None),
        ("drop", in_display_p3(SCENE), None),
    ):
        out = tmp_path / chosen / "a.png"
        assert convert_folder(negative, tmp_path / "in", out.parent, profile=chosen).converted == 1
        check_upright(255 - read_image(out), scene)
        assert read_profile(out) == kept


def test_heic_without_the_extra_says_how_to_read_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    # Of another name, so that the decoder that an earlier test imported is not taken again.
    absent = dataclasses.replace(DECODERS["HEIC"], image_file=("pillow_heif", "Absent"))
    monkeypatch.setitem(DECODERS, "HEIC", absent)
    with pytest.raises(ImageError, match=r"extra heif: pip install 'keras_dtl\[heif\]'"):
        read_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


def test_files_that_are_left_out_are_counted_and_named(negative, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    jpeg = encode_image(SCENE, ".jpg")
    for name, data in (
        ("a.jpg", jpeg),
        ("scan.tga", b""),
        ("raw.CR2", b""),
        ("noext", jpeg),
        ("movie.MOV", b"x"),
        ("a.AAE", b"x"),
        ("Thumbs.db", b"x"),
        ("._a.jpg", b"x"),
    ):
        (folder / name).write_bytes(data)
    report = convert_folder(negative, folder, tmp_path / "out")
    assert report.converted == 1 and report.exit_status == 1
    described = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    reasons = {row["file"].rpartition("/")[2]: row["reason"] for row in described["left_out"]}
    assert reasons == {
        "scan.tga": "pictures of the format TGA are not read",
        "raw.CR2": "pictures of the format CR2 are not read",
        "noext": "its content is JPEG, but its name does not end in an image suffix",
        "movie.MOV": "no image, by its suffix .mov",
        "a.AAE": "no image, by its suffix .aae",
    }
    for name in ("scan.tga", "raw.CR2", "noext"):
        (folder / name).unlink()
    again = convert_folder(negative, folder, tmp_path / "out")
    assert len(again.left_out) == 2 and again.exit_status == 0


def test_folder_of_nothing_but_pictures_that_are_not_read_names_them(negative, tmp_path):
    (tmp_path / "a.jxl").write_bytes(b"")
    with pytest.raises(ValueError, match="(?s)holds no images.*left out: 1 .*JXL are not.*a.jxl"):
        convert_folder(negative, tmp_path, tmp_path / "out")


def test_avif_is_written_as_it_is_read(negative, tmp_path):
    (tmp_path / "a.avif").write_bytes(phone_corpus.avif(6))
    for chosen in ("avif", "same"):
        report = convert_folder(negative, tmp_path, tmp_path.parent / chosen, format=chosen)
        assert report.converted == 1
        check_upright(255 - read_image(tmp_path.parent / chosen / "a.avif"))
