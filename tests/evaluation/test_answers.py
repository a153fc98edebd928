import numpy as np
import pytest

from keras_dtl.evaluation import compare_answers

NAMES = ("ant", "bee", "cat")


def answers(*counts, certainty=0.9):
    labels = np.repeat(np.arange(len(counts)), counts)
    p = np.full((len(labels), len(counts)), (1 - certainty) / (len(counts) - 1))
    p[np.arange(len(labels)), labels] = certainty
    return p


def test_numbers_are_those_of_the_answers():
    found = compare_answers(answers(10, 10, 10), answers(10, 8, 12), NAMES)
    assert found["changed"] == pytest.approx(2 / 30)
    assert found["shares"]["cat"] == {"before": pytest.approx(1 / 3), "after": pytest.approx(0.4)}
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.05)) / np.log(3)
    assert found["entropy"]["before"] == pytest.approx(entropy)
    assert found["healthy"]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (answers(16, 14, 0), "Collapsed: hardly an image is taken for cat"),
        (answers(24, 3, 3), "47% of the answers went over"),
        (answers(10, 10, 10, certainty=0.4), "less certain"),
    ],
)
def test_what_harms_is_said(after, words):
    found = compare_answers(answers(10, 10, 10), after, NAMES)
    assert not found["healthy"]
    assert words in found["words"]


def test_class_that_was_never_answered_is_no_collapse():
    found = compare_answers(answers(15, 15, 0), answers(14, 16, 0), NAMES)
    assert found["healthy"]
    assert found["words"].startswith("As before, hardly an image is taken for cat. All other")


def test_one_answer_for_all_is_not_called_well_because_it_was_so_before():
    found = compare_answers(answers(0, 30, 0), answers(0, 30, 0), NAMES)
    assert not found["healthy"]
    assert "all images are taken for bee" in found["words"]
