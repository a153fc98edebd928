import json

import keras
import numpy as np
import pytest

from keras_dtl import callbacks
from keras_dtl.callbacks.logged import number, numbers
from tests.networks import CLASSES, dense

SCORES = [f"f1_score_{number}" for number in range(CLASSES)]


class Noted(callbacks.Tracker):
    def begin(self):
        self.written = {}

    def write(self, numbers, epoch):
        self.written.update(numbers)


def test_numbers_of_one_metric_have_a_name_each():
    assert numbers(None) == {}
    logs = {"loss": np.float32(0.5), "f1_score": np.array([0.25, 1.0], "float32")}
    assert numbers(logs) == {"loss": 0.5, "f1_score_0": 0.25, "f1_score_1": 1.0}
    assert (number(logs, "f1_score_1"), number(logs, "kid")) == (1.0, None)
    with pytest.raises(ValueError, match="2. Name one of them, such as 'f1_score_0'"):
        number(logs, "f1_score")


def test_metrics_of_a_number_a_class_are_logged(tmp_path):
    model = dense(CLASSES, activation="softmax")
    metric = keras.metrics.F1Score(average=None)
    model.compile("sgd", "categorical_crossentropy", metrics=[metric], run_eagerly=True)
    looks = []
    checkpoint, tracker = callbacks.Checkpoint(tmp_path), Noted(tmp_path, "run", {})
    best = callbacks.KeepBest(tmp_path / "best.weights.h5", SCORES[0])
    given = [
        *(checkpoint, tracker, best, callbacks.StopWhenDiverged(), callbacks.FailureWatch()),
        callbacks.ProgressImages(tmp_path, lambda model: np.zeros((2, 2, 3), "uint8")),
        callbacks.Watch(lambda model, columns, progress: (looks.append(columns), ({}, {}))[1]),
    ]
    x, y = np.eye(6, dtype="float32"), np.eye(CLASSES)[np.arange(6) % CLASSES]
    model.fit(x, y, verbose=0, callbacks=given)
    assert set(SCORES) < set(checkpoint.columns()) & set(tracker.written) & set(looks[0])
    json.dumps(checkpoint.history)
    assert best.best().value == checkpoint.history[0][SCORES[0]]
