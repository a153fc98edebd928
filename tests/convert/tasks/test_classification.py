"""Folders through a classifier."""

import csv
import json
import os

import numpy as np
import pytest

from keras_dtl.convert import ConversionError, convert_folder
from keras_dtl.images import write_image
from tests.convert.conftest import colour


def read_table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_classification_writes_a_table_and_reports_failures(classifier, photos, tmp_path):
    report = convert_folder(classifier, photos, tmp_path / "out")
    rows = read_table(tmp_path / "out" / "predictions.csv")
    assert [(row["file"], row["class"]) for row in rows] == [
        ("a.png", "red"),
        ("b, c.png", "green"),
        ("sub/d\ne.png", "blue"),
        ("sub/ü.bmp", "blue"),
    ]
    assert float(rows[0]["probability"]) > 0.99
    assert list(rows[0]) == [
        *("file", "class", "probability"),
        *("class_2", "probability_2", "class_3", "probability_3"),
    ]
    assert (report.converted, report.skipped, report.exit_status) == (4, 0, 1)
    assert [failure.path for failure in report.failed] == [photos / "truncated.png"]
    assert report.failed[0].reason.startswith("cannot be read as an image: ")
    assert visible(report.output.parent) == ["gallery.html", "predictions.csv", "report.json"]


def test_classification_equals_the_model_on_the_same_pixels(classifier, tmp_path):
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    for index, image in enumerate(images):
        write_image(tmp_path / "photos" / f"{index}.png", image)
    convert_folder(
        classifier, tmp_path / "photos", tmp_path / "out", batch_size=2, all_probabilities=True
    )
    rows = read_table(tmp_path / "out" / "predictions.csv")
    written = [[float(row[f"probability:{name}"]) for name in classifier.classes] for row in rows]
    np.testing.assert_allclose(written, classifier(images), atol=1e-6)


def test_classification_writes_json_lines(classifier, photos, tmp_path):
    options = {"format": "jsonl", "top": 2, "all_probabilities": True}
    convert_folder(classifier, photos, tmp_path / "out", **options)
    lines = (tmp_path / "out" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[3])
    assert (row["file"], row["class"]) == ("sub/ü.bmp", "blue")
    assert len(row["top"]) == 2
    assert row["probabilities"]["blue"] == row["probability"]


def test_classification_takes_a_single_file(classifier, photos, tmp_path):
    report = convert_folder(classifier, photos / "a.png", tmp_path / "out")
    assert report.exit_status == 0
    assert [row["file"] for row in read_table(report.output)] == ["a.png"]


@pytest.mark.parametrize("options", [{"format": "csv"}, {"format": "jsonl"}])
def test_classification_writes_names_that_are_no_utf8(classifier, tmp_path, options):
    name = os.fsdecode(b"\xff.png")
    try:
        write_image(tmp_path / "photos" / name, colour("red"))
    except OSError:
        pytest.skip("the file system takes no such names")
    report = convert_folder(classifier, tmp_path / "photos", tmp_path / "out", **options)
    assert "\\udcff.png" in report.output.read_text(encoding="utf-8")


def test_classification_replaces_a_table_only_when_asked(classifier, photos, tmp_path):
    (tmp_path / "predictions.csv").write_text("precious")
    with pytest.raises(ConversionError, match=r"predictions\.csv exists"):
        convert_folder(classifier, photos, tmp_path)
    assert (tmp_path / "predictions.csv").read_text() == "precious"
    convert_folder(classifier, photos, tmp_path, overwrite=True)
    assert len(read_table(tmp_path / "predictions.csv")) == 4


def test_classification_of_nothing_but_failures_keeps_the_old_table(classifier, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"no image")
    (tmp_path / "predictions.csv").write_text("precious")
    report = convert_folder(classifier, tmp_path / "photos", tmp_path, overwrite=True)
    assert report.exit_status == 2
    assert (tmp_path / "predictions.csv").read_text() == "precious"


def test_classification_leaves_nothing_half_written_when_stopped(classifier, photos, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_folder(classifier, photos, tmp_path / "out", progress=stop)
    assert visible(tmp_path / "out") == []


def test_classification_keeps_the_order_whatever_the_shapes(free_classifier, tmp_path):
    # Images of equal shape go together, which mixes their order.
    for index in range(12):
        write_image(tmp_path / "photos" / f"{index:02}.png", colour("red", 4 + index % 3, 5))
    seen = []
    (tmp_path / "photos" / "03.png").write_bytes(b"no image")
    report = convert_folder(
        free_classifier,
        tmp_path / "photos",
        tmp_path / "out",
        batch_size=3,
        progress=lambda done, total: seen.append((done, total)),
    )
    files = [row["file"] for row in read_table(report.output)]
    assert files == [f"{index:02}.png" for index in range(12) if index != 3]
    assert seen == [(done, 12) for done in range(1, 13)]


def test_table_of_another_folder_is_not_replaced(classifier, tmp_path):
    for name in ("first", "second"):
        write_image(tmp_path / name / f"{name}.png", np.zeros((4, 4, 3), "uint8"))
    convert_folder(classifier, tmp_path / "first", tmp_path / "out")
    before = (tmp_path / "out" / "predictions.csv").read_text()
    with pytest.raises(ConversionError, match="is the table of .*first.*not of .*second"):
        convert_folder(classifier, tmp_path / "second", tmp_path / "out")
    assert (tmp_path / "out" / "predictions.csv").read_text() == before
    assert convert_folder(classifier, tmp_path / "first", tmp_path / "out").skipped == 1
    convert_folder(classifier, tmp_path / "second", tmp_path / "out", overwrite=True)
    assert "second.png" in (tmp_path / "out" / "predictions.csv").read_text()
