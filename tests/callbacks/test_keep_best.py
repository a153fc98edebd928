import keras
import numpy as np

from keras_dtl.callbacks import KeepBest, Measure
from tests.callbacks.test_measure import fit


def logging(values):
    values = iter(values)
    return Measure(lambda model: {"kid": next(values)})


def test_lowest_weights_are_kept_and_compared_with_after_a_resume(tmp_path):
    path, seen = tmp_path / "best.weights.h5", {}
    remember = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.update({epoch + 1: model_of.model.get_weights()})
    )
    model_of = keep = KeepBest(path, "kid", lowest=True)
    assert keep.best() is None
    fit([logging([3.0, float("nan"), 1.0, 2.0, 1.0]), keep, remember])
    assert keep.best() == (3, 1.0)
    model, _ = fit(
        [logging([1.5, 0.5]), KeepBest(path, "kid", lowest=True)], epochs=7, initial_epoch=5
    )
    assert KeepBest(path, "kid", lowest=True).best() == (7, 0.5)
    loaded, _ = fit([], epochs=1)
    loaded.load_weights(path)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_a_new_training_forgets_what_an_earlier_one_left(tmp_path):
    path = tmp_path / "best.weights.h5"
    fit([logging([0.1]), KeepBest(path, "kid", lowest=True)], epochs=1)
    fit([logging([2.0, 3.0]), KeepBest(str(path), "kid", lowest=True)], epochs=2)
    assert KeepBest(path, "kid", lowest=True).best() == (1, 2.0)


def test_kept_weights_are_those_of_the_lowest_epoch(tmp_path):
    weights = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(keep.model.get_weights()[0])
    )
    keep = KeepBest(tmp_path / "best.weights.h5", "kid", lowest=True)
    model, _ = fit([logging([2.0, 1.0, 3.0]), keep, record], epochs=3)
    model.load_weights(keep.path)
    np.testing.assert_array_equal(model.get_weights()[0], weights[1])
    assert (weights[1] != weights[2]).any()


def test_highest_is_the_best_unless_told_and_what_is_not_finite_never(tmp_path):
    keep = KeepBest(tmp_path / "best.weights.h5", "kid")
    fit([logging([float("nan"), -5.0, -2.0, -3.0, float("inf")]), keep])
    assert keep.best() == (3, -2.0)
