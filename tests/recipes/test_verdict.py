"""A model that does not beat guessing is named, and not exported unless told to."""

import json

import numpy as np
import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.data.labelled import LabelledImages
from keras_dtl.evaluation import compare_answers, evaluate_classifier
from keras_dtl.images import write_image
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.verdict import collapse, guessing_failure, probe, probe_without_labels
from tests.export.conftest import without_saved_model

CLASSES = ("a", "b", "c", "d")


def score(answers, labels, classes=CLASSES):
    return evaluate_classifier(np.eye(len(classes))[answers], np.array(labels), classes).to_dict()


def test_one_class_for_all_is_no_knowledge_however_many_images_it_fits():
    labels = [0] * 90 + [1] * 10
    failure = guessing_failure(score([0] * 100, labels, ("often", "seldom")))
    assert failure.name == "one class for all"
    assert "'often'" in failure.words


def test_mean_accuracy_of_a_class_decides():
    labels = [0, 0, 1, 1, 2, 2, 3, 3]
    assert guessing_failure(score([0, 1, 1, 2, 2, 3, 3, 0], labels)) is None
    failure = guessing_failure(score([0, 1, 1, 2, 3, 3, 0, 0], labels))
    assert failure.name == "no better than guessing"
    assert "25.0%" in failure.words


def answers(before, after, classes=CLASSES):
    return compare_answers(np.eye(len(classes))[before], np.eye(len(classes))[after], classes)


def test_answers_that_became_one_are_a_failure_without_labels():
    failure = collapse(answers([0, 1, 2, 3] * 10, [2] * 39 + [0]))
    assert failure.name == "one class for the target"
    assert "'c'" in failure.words
    assert "98%" in failure.words
    assert collapse(answers([0, 1, 2, 3] * 10, [2, 0, 1, 3] * 10)) is None
    # A target that held little else all along.
    assert collapse(answers([2] * 40, [2] * 40)) is None


@pytest.mark.parametrize("after", [[2] * 8, [1, 2, 3, 0] * 2])
def test_collapsed_adaptation_without_the_source_is_no_model_to_publish(after):
    labels = [0, 1, 2, 3] * 2
    scores = {"answers": answers(labels, after), "target": score(after, labels)}
    assert RECIPES["shot"]().verdict(scores) is not None
    right = {"answers": answers(after, labels), "target": score(labels, labels)}
    assert RECIPES["shot"]().verdict(right) is None


def test_classes_without_images_are_not_counted():
    assert guessing_failure(score([0, 0, 1, 0], [0, 0, 1, 1])) is None
    assert guessing_failure(score([0, 0], [0, 0])) is None


def test_probe_without_labels_is_drawn_from_the_whole_domain():
    images = np.repeat(np.arange(256, dtype="uint8"), 4)[:, None, None, None]
    drawn = probe_without_labels(LabelledImages(images)).ravel()
    assert len(drawn) == 200
    assert np.bincount(drawn).max() <= 4
    assert 100 < drawn.mean() < 155
    assert probe_without_labels(None) is None


def test_probe_holds_as_many_of_each_class():
    labels = np.array([0] * 900 + [1] * 40 + [2] * 60, "int32")
    images = np.zeros((1000, 1, 1, 3), "uint8")
    images[:, 0, 0, 0] = labels
    chosen, answers = probe(LabelledImages(images, labels, ("a", "b", "c")))
    np.testing.assert_array_equal(np.bincount(answers), [21, 21, 21])
    np.testing.assert_array_equal(chosen[:, 0, 0, 0], answers)
    assert probe(LabelledImages(images, None, ())) is None


@pytest.fixture
def noise(tmp_path):
    """A folder of grey images, whose classes nobody can tell."""
    for name in ("left", "right"):
        for index in range(10):
            write_image(
                tmp_path / "images" / name / f"{index}.png", np.full((16, 16, 3), 128, "u1")
            )
    return tmp_path


def test_a_failed_training_says_so_and_publishes_nothing(noise, capsys):
    words = ["--target", f"folder:{noise / 'images'}", "--epochs", "1", "--min-steps", "25"]
    places = ["--output", str(noise / "run"), "--artifact", str(noise / "artifact")]
    assert main(["train", "fine-tuning", *words, "--batch-size", "8", *places]) == 1
    answer = capsys.readouterr()
    assert "failed: one class for all" in answer.err
    assert "--export-anyway" in answer.out
    assert not (noise / "artifact").exists()
    page = (noise / "run" / "report.html").read_text(encoding="utf-8")
    assert "training failed" in page
    assert "one class for all" in page
    assert main(["export", str(noise / "run"), "--output", str(noise / "artifact")]) == 2
    assert "not worth exporting" in capsys.readouterr().err
    with without_saved_model():
        assert main(["train", "--resume", str(noise / "run"), "--export-anyway"]) == 0
    assert (noise / "artifact" / "1" / "model.onnx").is_file()
    told = json.loads((noise / "run" / "failures.json").read_text())
    assert "no better than guessing" in told
    page = (noise / "run" / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in told)
