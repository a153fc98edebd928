"""Folders through a generator."""

import errno
import itertools

import numpy as np
import pytest
from PIL import Image

from keras_dtl.convert import ConversionError, convert_folder, load_artifact
from keras_dtl.convert.journal import Journal
from keras_dtl.images import read_image, write_image
from keras_dtl.images.formats import DECODERS, Decoder
from tests.convert.conftest import colour, write_negative


def tree(folder):
    files = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    own = ("report.json", "gallery.html")
    return sorted(name for name in files if name not in own and not name.startswith("."))


def test_image_to_image_mirrors_the_tree_with_sizes_kept(negative, photos, tmp_path):
    out = tmp_path / "out"
    report = convert_folder(negative, photos, out)
    assert tree(out) == ["a.png", "b, c.png", "sub/d\ne.png", "sub/ü.png"]
    np.testing.assert_array_equal(read_image(out / "b, c.png"), 255 - colour("green", 9, 5))
    assert (report.converted, len(report.failed), report.exit_status) == (4, 1, 1)


def test_image_to_image_keeps_suffixes_when_asked(negative, photos, tmp_path):
    convert_folder(negative, photos, tmp_path / "out", format="same")
    assert "sub/ü.bmp" in tree(tmp_path / "out")


def test_image_to_image_goes_on_where_it_was(negative, photos, tmp_path):
    out = tmp_path / "out"
    convert_folder(negative, photos, out)
    (out / "a.png").unlink()
    write_image(photos / "sub" / "ü.bmp", colour("red"))  # other content
    (out / "b, c.png").write_bytes(b"kept")  # what no conversion wrote
    report = convert_folder(negative, photos, out)
    assert (report.converted, report.skipped) == (2, 1)
    assert "is not what a conversion wrote for it" in report.failed[0].reason
    assert (out / "b, c.png").read_bytes() == b"kept"
    np.testing.assert_array_equal(read_image(out / "sub" / "ü.png"), 255 - colour("red"))
    report = convert_folder(negative, photos, out, overwrite=True)
    assert (report.converted, report.skipped) == (4, 0)
    assert (out / "b, c.png").read_bytes() != b"kept"


def test_image_to_image_converts_again_for_another_artifact_or_option(negative, photos, tmp_path):
    convert_folder(negative, photos, tmp_path / "out", format="jpg")
    report = convert_folder(negative, photos, tmp_path / "out", format="jpg", quality=50)
    assert (report.converted, report.skipped) == (4, 0)
    other = load_artifact(write_negative(tmp_path / "other", white=254))
    report = convert_folder(other, photos, tmp_path / "out", format="jpg", quality=50)
    assert (report.converted, report.skipped) == (4, 0)
    report = convert_folder(other, photos, tmp_path / "out", format="jpg", quality=50)
    assert (report.converted, report.skipped) == (0, 4)


def test_image_to_image_of_everything_done_is_success(negative, tmp_path):
    write_image(tmp_path / "photos" / "a.png", colour("red"))
    convert_folder(negative, tmp_path / "photos", tmp_path / "out")
    report = convert_folder(negative, tmp_path / "photos", tmp_path / "out")
    assert (report.converted, report.skipped, report.exit_status) == (0, 1, 0)


def test_files_of_one_stem_keep_their_suffix_in_the_name(negative, tmp_path):
    """And a file that is named as one of them then is, too."""
    for name in ("a.png", "a.bmp", "a.bmp.png", "b.bmp", "sub/a.png"):
        write_image(tmp_path / "photos" / name, colour("red"))
    (tmp_path / "photos" / "a.gif").write_bytes(b"broken")
    for converted, skipped in ((5, 0), (0, 5)):
        report = convert_folder(negative, tmp_path / "photos", tmp_path / "out")
        assert (report.converted, report.skipped, report.exit_status) == (converted, skipped, 1)
        assert [failure.path.name for failure in report.failed] == ["a.gif"]
    wanted = ["a.bmp.png", "a.bmp.png.png", "a.png.png", "b.png", "sub/a.png"]
    assert sorted(tree(tmp_path / "out")) == wanted


def test_names_that_differ_in_capitals_alone_are_one_place(negative, tmp_path):
    for name in ("a.bmp", "A.bmp"):
        write_image(tmp_path / "photos" / name, colour("red"))
    report = convert_folder(negative, tmp_path / "photos", tmp_path / "out")
    assert (report.converted, report.exit_status) == (1, 1)
    assert "rename one" in report.failed[0].reason
    assert list(tree(tmp_path / "out")) == ["A.bmp.png"]


@pytest.mark.parametrize("output", [".", "inside"])
def test_image_to_image_never_writes_into_its_input(negative, photos, output):
    before = tree(photos)
    with pytest.raises(ConversionError, match="is that of the input or lies in it"):
        convert_folder(negative, photos, photos / output)
    with pytest.raises(ConversionError, match="is that of the input or lies in it"):
        convert_folder(negative, photos / "a.png", photos)
    assert tree(photos) == before


def test_image_to_image_resizes_for_models_of_fixed_size(tmp_path):
    artifact = load_artifact(write_negative(tmp_path / "fixed", resize=(8, 8)))
    write_image(tmp_path / "photos" / "a.png", colour("blue", 30, 50))
    convert_folder(artifact, tmp_path / "photos", tmp_path / "out")
    image = read_image(tmp_path / "out" / "a.png")
    np.testing.assert_array_equal(image, 255 - colour("blue", 30, 50))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 4)])
def test_image_to_image_takes_the_smallest_images(negative, tmp_path, size):
    write_image(tmp_path / "photos" / "a.png", colour("red", *size))
    report = convert_folder(negative, tmp_path / "photos", tmp_path / "out")
    assert report.exit_status == 0
    assert read_image(tmp_path / "out" / "a.png").shape == (*size, 3)


def fail_to_publish(monkeypatch, code, name):
    publish = Journal.publish

    def publish_or_fail(self, target, data):
        if target.name == name:
            raise OSError(code, "the reason")
        publish(self, target, data)

    monkeypatch.setattr(Journal, "publish", publish_or_fail)


def test_image_to_image_reports_one_output_that_cannot_be_written(
    negative, photos, tmp_path, monkeypatch
):
    fail_to_publish(monkeypatch, errno.EACCES, "a.png")
    report = convert_folder(negative, photos, tmp_path / "out")
    assert report.converted == 3
    assert "a.png cannot be written: the reason" in report.failed[0].reason


def test_image_to_image_names_what_a_full_disk_left_out(negative, photos, tmp_path, monkeypatch):
    for index in range(50):
        write_image(photos / f"z{index}.png", colour("red"))
    publish, room = Journal.publish, itertools.count()

    def publish_while_there_is_room(self, target, data):
        if next(room) >= 10:
            raise OSError(errno.ENOSPC, "the reason")
        publish(self, target, data)

    monkeypatch.setattr(Journal, "publish", publish_while_there_is_room)
    report = convert_folder(negative, photos, tmp_path / "out", batch_size=1)
    reasons = [failure.reason for failure in report.failed]
    assert (report.converted, report.exit_status, report.full) == (10, 2, "the reason")
    assert reasons.count("not converted: the reason") == 44
    assert len(reasons) == 45
    monkeypatch.undo()
    report = convert_folder(negative, photos, tmp_path / "out")
    assert (report.converted, report.skipped) == (44, 10)
    assert len(tree(tmp_path / "out")) == 54


def test_what_can_only_be_read_becomes_another_format(negative, tmp_path, monkeypatch):
    row = Decoder((".ico",), rb"\x00\x00\x01\x00", ("PIL.IcoImagePlugin", "IcoImageFile"))
    monkeypatch.setitem(DECODERS, "ICO", row)
    icon = tmp_path / "a.ico"
    Image.new("RGB", (16, 16), "red").save(icon)
    assert convert_folder(negative, [icon], tmp_path / "png").converted == 1
    np.testing.assert_array_equal(read_image(tmp_path / "png" / "a.png")[0, 0], [0, 255, 255])
    (failure,) = convert_folder(negative, [icon], tmp_path / "same", format="same").failed
    assert failure.reason == "images cannot be written as '.ico'; choose a format"
