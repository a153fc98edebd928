"""Every number of a report comes with words."""

import ast
from pathlib import Path

import pytest

import keras_dtl.evaluation
from keras_dtl.evaluation import Report
from keras_dtl.evaluation.meanings import MEANINGS, meaning_of

FOLDER = Path(keras_dtl.evaluation.__file__).parent
SCORES = (
    *("classification", "segmenter_scores", "translation_scores", "separation_scores"),
    *("view_scores", "motion_scores", "motion_method_scores", "motion", "image_judge"),
)
"""Modules whose dictionaries become scores."""


def keys_of(module):
    """Return the constant keys of the dictionaries in a module."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    keys = [key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys]
    return {key.value for key in keys if isinstance(key, ast.Constant)}


@pytest.mark.parametrize("module", SCORES)
def test_every_score_has_words(module):
    assert keys_of(module)
    assert not keys_of(module) - set(MEANINGS)


def test_words_are_those_of_the_nearest_name():
    assert meaning_of("target.iou.sky") == MEANINGS["iou"]
    assert meaning_of("samples.velocity.by_style.old.man") == MEANINGS["by_style"]
    assert meaning_of("nothing.known") == ""


def test_a_table_of_scores_shows_them():
    report = Report("title")
    report.add_scores("Scores", {"target": {"accuracy": 0.5}, "other": 3})
    page = report.html()
    assert "what it is" in page and MEANINGS["accuracy"] in page
    assert "target.accuracy" in page and ">0.5<" in page
