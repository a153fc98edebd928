"""Which files are taken, by what is named."""

import os
from pathlib import Path

import pytest

from keras_dtl.convert import ConversionError, convert_folder
from keras_dtl.convert.inputs import (
    find_inputs,
    find_items,
    find_left_out,
    leave_out_outputs,
    parse_paths,
)
from keras_dtl.convert.tasks.image_task import ImageTask
from keras_dtl.images import write_image
from tests.convert.conftest import colour


def names(source, **options):
    return [item.name for item in find_items(source, **options)[0]]


def test_a_pattern_is_named_from_its_last_plain_folder(photos):
    assert names(f"{photos}/**/*.png") == ["a.png", "b, c.png", "sub/d\ne.png", "truncated.png"]
    assert names(f"{photos}/s?b/*") == ["sub/d\ne.png", "sub/ü.bmp"]
    with pytest.raises(ConversionError, match="No file fits the pattern"):
        find_items(f"{photos}/*.jpg")


def test_a_file_with_brackets_is_no_pattern(tmp_path):
    write_image(tmp_path / "a[1].png", colour("red"))
    assert names(tmp_path / "a[1].png") == ["a[1].png"]


def test_a_list_is_named_from_here_or_from_the_common_folder(photos, monkeypatch):
    files = [photos / "sub" / "ü.bmp", photos / "a.png", photos / "a.png"]
    assert names(files) == ["sub/ü.bmp", "a.png"]
    monkeypatch.chdir(photos.parent)
    assert names(["photos/a.png"]) == ["photos/a.png"]
    with pytest.raises(ConversionError, match="list of files is empty"):
        find_items([])


@pytest.mark.parametrize("here", ["photos", ".", ""])
def test_one_look_at_a_folder_finds_what_two_do(photos, monkeypatch, here):
    """Wherever it is looked at from; and a look that leaves out nothing opens nothing else."""
    (photos / "a.txt").write_text("no image")
    (photos / "sub" / "b.txt").write_bytes((photos / "a.png").read_bytes())
    monkeypatch.chdir(photos.parent if here == "photos" else photos)
    source = here or photos
    items, failures, left_out = find_inputs(source)
    assert (items, failures) == find_items(source) and left_out == find_left_out(source)
    assert [item.name for item in items] == names(photos)
    assert [item.path for item in items] == [Path(source) / item.name for item in items]
    assert {(file.path.name, file.is_input) for file in left_out} >= {
        *(("a.txt", False), ("b.txt", True)),
    }
    monkeypatch.setattr(ImageTask, "reason_left_out", None)  # would fail
    assert find_items(source)[0] == items


@pytest.mark.parametrize("here", ["photos", "."])
def test_links_to_the_output_are_left_out_and_the_rest_numbered(photos, monkeypatch, here):
    (photos / "b").symlink_to(photos.parent / "out")
    write_image(photos.parent / "out" / "x.png", colour("red"))
    monkeypatch.chdir(photos.parent if here == "photos" else photos)
    items = find_items(here)[0]
    left = leave_out_outputs(items, here, photos.parent / "out")
    assert "b/x.png" in [item.name for item in items]
    assert [(item.index, item.name) for item in left] == [
        *enumerate(item.name for item in items if item.name != "b/x.png")
    ]
    assert leave_out_outputs(items, here, photos.parent / "other") == items


def test_a_listed_file_that_is_missing_or_a_folder_is_reported(negative, photos, tmp_path):
    files = [photos / "a.png", photos / "missing.png", photos / "sub"]
    report = convert_folder(negative, files, tmp_path / "out")
    assert report.converted == 1
    assert [failure.reason for failure in report.failed] == [
        "No such file or directory",
        "Is a directory",
    ]


def test_paths_end_with_lines_or_zeros():
    assert parse_paths(b"a.png\r\nb c.png\n\n") == [Path("a.png"), Path("b c.png")]
    assert parse_paths(b"a\nb.png\0\xff.png\0") == [
        Path("a\nb.png"),
        Path(os.fsdecode(b"\xff.png")),
    ]
