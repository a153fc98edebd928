import re

import numpy as np
import pytest

from keras_dtl.evaluation import diagnose_domain_classifier

FALLING = np.linspace(2.0, 0.1, 8)
CONFUSED = [0.95, 0.9, 0.8, 0.7, 0.6, 0.58, 0.56, 0.55]


@pytest.mark.parametrize(
    ("accuracy", "verdict", "healthy", "words"),
    [
        (CONFUSED, "confused", True, "best 95%.*5[56]%"),
        ([0.5, 0.52, 0.49, 0.51, 0.5, 0.5, 0.51, 0.5], "never_learnt", False, "never learnt"),
        ([0.8, 0.9, 0.97, 0.99, 0.99, 1.0, 1.0, 1.0], "separated", False, "100%.*not aligned"),
        ([0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8], "partly_separated", True, "in part"),
        ([0.9, 0.5, 0.2, 0.3, 0.2, 0.2, 0.2, 0.2], "oscillating", False, "worse than guessing"),
        ([0.5, 0.4, 0.38, 0.38, 0.37, 0.37, 0.37, 0.37], "oscillating", False, "37%"),
        ([0.9, 0.5], "too_short", True, "2 epochs"),
    ],
)
def test_verdict_follows_the_accuracy(accuracy, verdict, healthy, words):
    diagnosis = diagnose_domain_classifier(accuracy, FALLING)
    assert (diagnosis.verdict, diagnosis.healthy) == (verdict, healthy)
    assert re.search(words, str(diagnosis))


def test_chance_at_the_end_reads_differently_after_a_separation():
    end = [0.5] * 6
    assert diagnose_domain_classifier([0.5, 0.5, *end]).verdict == "never_learnt"
    assert diagnose_domain_classifier([0.9, 0.8, *end]).verdict == "confused"


def test_confusion_that_another_classifier_does_not_share_is_giving_up():
    assert diagnose_domain_classifier(CONFUSED, FALLING, proxy_distance=0.3).verdict == "confused"
    gave_up = diagnose_domain_classifier(CONFUSED, FALLING, proxy_distance=1.9)
    assert (gave_up.verdict, gave_up.healthy) == ("gave_up", False)
    assert "stopped learning" in gave_up.words
    assert "1.90 of 2" in gave_up.words
    separated = [0.8, 0.9, 0.97, 0.99]
    assert diagnose_domain_classifier(separated, proxy_distance=1.9).verdict == "separated"


def test_chance_is_an_argument():
    accuracy = [0.75, 0.76, 0.75, 0.75]
    assert diagnose_domain_classifier(accuracy, chance=0.75).verdict == "never_learnt"


@pytest.mark.parametrize(
    ("label_loss", "words"),
    [
        ([2.0, 1.0, 0.3, 0.2, 0.5, 0.9, 1.2, 1.4], "rose from 0.25 to 1.3"),
        ([2.3, 2.3, 2.3, 2.31, 2.3, 2.3, 2.3, 2.3], "never fell"),
    ],
)
def test_collapse_outranks_a_confused_domain_classifier(label_loss, words):
    diagnosis = diagnose_domain_classifier(CONFUSED, label_loss)
    assert diagnosis.verdict == "collapsed"
    assert words in diagnosis.words


def test_small_label_loss_may_double():
    label_loss = [0.5, 0.1, 0.01, 0.005, 0.006, 0.01, 0.012, 0.012]
    assert diagnose_domain_classifier(CONFUSED, label_loss).verdict == "confused"


def test_not_finite_names_the_history_and_the_epoch():
    broken = FALLING.copy()
    broken[4:] = np.nan
    diagnosis = diagnose_domain_classifier(CONFUSED, broken)
    assert diagnosis.verdict == "not_finite"
    assert "label loss is not finite from epoch 5" in diagnosis.words
    assert diagnose_domain_classifier([np.nan]).verdict == "not_finite"


@pytest.mark.parametrize(
    ("accuracy", "label_loss", "message"),
    [
        ([], None, r"domain_accuracy.*\(0,\)"),
        ([[0.5]], None, r"\(1, 1\)"),
        ([0.5], [], "label_loss"),
        ([50.0, 60.0], None, "Divide percentages"),
    ],
)
def test_bad_histories_are_refused(accuracy, label_loss, message):
    with pytest.raises(ValueError, match=message):
        diagnose_domain_classifier(accuracy, label_loss)


def test_words_agree_with_the_distance_beside_them():
    history = [0.9, 0.85, 0.79, 0.79]
    near, far = (diagnose_domain_classifier(history, proxy_distance=d) for d in (0.9, 1.9))
    assert near.healthy
    assert "aligned in part (proxy A-distance 0.90 of 2)" in near.words
    assert not far.healthy
    assert "not aligned" in far.words
    assert "1.90 of 2" in far.words
