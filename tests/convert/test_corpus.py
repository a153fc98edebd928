"""Everything that goes wrong with images: good ones converted, bad ones named, nothing crashes."""

import json
import os
import sys
from pathlib import Path

import pytest

from keras_dtl.convert import convert_folder
from keras_dtl.convert.image_files import reading
from keras_dtl.files import readable_name
from tests.convert.corpus import write_corpus

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names and links as on Linux")


def relative(path, folder):
    return os.fsencode(path.relative_to(folder))


def check(report, folder, good, bad):
    received = {relative(failure.path, folder): failure.reason for failure in report.failed}
    assert sorted(received) == sorted(bad)
    for name, word in bad.items():
        assert word in received[name], (name, received[name])
    assert report.converted == len(good)
    assert report.exit_status == 1


def test_corpus_is_large(tmp_path):
    _, bad = write_corpus(tmp_path)
    assert len(bad) >= 40


@pytest.mark.parametrize("batch_size", [1, 32])
def test_corpus_through_a_generator(negative, tmp_path, batch_size):
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    good, bad = write_corpus(folder)
    report = convert_folder(negative, folder, out, format="same", batch_size=batch_size)
    check(report, folder, good, bad)
    files = {relative(path, out) for path in out.rglob("*") if path.is_file()}
    written = {name for name in files if not name.startswith(b".keras_dtl")}
    assert written == {*good, b"report.json", b"gallery.html"}
    described = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert {row["file"] for row in described["failed"]} == {
        readable_name(failure.path) for failure in report.failed
    }
    again = convert_folder(negative, folder, out, format="same")
    assert (again.converted, again.skipped, len(again.failed)) == (0, len(good), len(bad))


def test_corpus_through_a_classifier(classifier, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    good, bad = write_corpus(folder)
    report = convert_folder(classifier, folder, tmp_path / "out", format="jsonl")
    check(report, folder, good, bad)
    lines = report.output.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(good)
    assert "new\nline.png" in {json.loads(line)["file"] for line in lines}


def test_animations_go_frame_by_frame_when_asked(negative, classifier, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    good, bad = write_corpus(folder)
    still_bad = {name: reason for name, reason in bad.items() if "animation" not in reason}
    options = {"format": "same", "animation": "frames"}
    report = convert_folder(negative, folder, tmp_path / "out", **options)
    assert report.converted == len(good) + 5
    assert len(report.failed) == len(still_bad)
    frames = sorted(path.name for path in (tmp_path / "out" / "moving.gif").iterdir())
    assert frames == ["00000.gif", "00001.gif", "00002.gif"]
    again = convert_folder(negative, folder, tmp_path / "out", **options)
    assert (again.converted, again.skipped) == (0, len(good) + 5)
    report = convert_folder(classifier, folder, tmp_path / "table", animation="frames")
    assert report.converted == len(good) + 5
    table = report.output.read_text(encoding="utf-8")
    assert [f"moving.webp#{frame}," in table for frame in range(4)] == [True] * 3 + [False]


def test_files_that_vanish_meanwhile_are_reported(negative, photos, tmp_path, monkeypatch):
    read = reading.read_file

    def read_and_remove(path):
        if Path(path).name == "a.png":
            Path(path).unlink()
        return read(path)

    monkeypatch.setattr("keras_dtl.convert.engines.run.read_file", read_and_remove)
    report = convert_folder(negative, photos, tmp_path / "out")
    assert (photos / "a.png", "No such file or directory") in report.failed
    assert report.converted == 3
