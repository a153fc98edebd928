import numpy as np

from keras_dtl.evaluation import AdaptationWatch


class Answering:
    """Stands in for a model that gives one matrix of logits an epoch."""

    def __init__(self, *logits, needs=("target",)):
        self.logits = iter(logits)
        self.needs = needs

    def predict(self, images, **kwargs):
        return next(self.logits)


def logits(*counts, sharpness=20.0):
    return sharpness * np.eye(len(counts))[np.repeat(np.arange(len(counts)), counts)]


def findings_of(*per_epoch, **kwargs):
    watch, model = AdaptationWatch(np.zeros((12, 1))), Answering(*per_epoch, **kwargs)
    return [watch(model, {}, 1.0)[1] for _ in per_epoch][-1]


def test_even_answers_are_no_finding():
    assert findings_of(logits(3, 3, 3, 3), logits(3, 4, 2, 3)) == {}


def test_classes_that_collapse_are_told():
    words = findings_of(logits(3, 3, 3, 3), logits(10, 2, 0, 0))["classes_collapse"]
    assert "2 of 4 classes, 83% for one" in words


def test_few_classes_from_the_start_are_no_collapse():
    assert findings_of(logits(6, 6, 0, 0), logits(7, 5, 0, 0)) == {}


def test_entropy_that_jumps_is_told():
    words = findings_of(logits(3, 3, 3, 3), logits(3, 3, 3, 3, sharpness=1.0))["entropy_jumps"]
    assert "from 0% to 91%" in words


def test_source_only_is_told_of_no_weight_of_adaptation():
    collapsing = logits(3, 3, 3, 3), logits(10, 2, 0, 0, sharpness=1.0)
    for needs, told in ((("target",), True), ((), False)):
        findings = findings_of(*collapsing, needs=needs)
        assert len(findings) == 2
        assert all(("weight of adaptation" in words) is told for words in findings.values())
