import keras
import numpy as np

from keras_dtl.callbacks import KeepBest
from tests.networks import dense


def run(folder, values, epochs=None, initial=0, every=1):
    """Fit a model whose kernel is raised by 1 each epoch; score it by a list of values."""
    keras.utils.set_random_seed(0)
    model = dense(1)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.layers[-1].kernel.assign(np.full((6, 1), float(initial)))
    raise_kernel = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: model.layers[-1].kernel.assign_add(np.ones((6, 1)))
    )
    scores = iter(values)
    keep = KeepBest(folder, lambda model: {"score": next(scores)}, every)
    x = np.ones((2, 6), "float32")
    history = model.fit(
        *(x, x[:, :1]),
        epochs=epochs or len(values),
        initial_epoch=initial,
        verbose=0,
        callbacks=[raise_kernel, keep],
    ).history
    return model, keep, history


def kernel_of_best(model, keep):
    model.load_weights(keep.path("score"))
    return float(model.layers[-1].kernel.numpy()[0, 0])


def test_weights_of_the_best_epoch_are_kept_and_values_logged(tmp_path):
    model, keep, history = run(tmp_path, [1.0, 3.0, 2.0])
    assert keep.best == {"score": {"epoch": 2, "value": 3.0}}
    assert kernel_of_best(model, keep) == 2
    assert history["validator_score"] == [1.0, 3.0, 2.0]


def test_resumed_training_goes_on_from_the_best_so_far(tmp_path):
    run(tmp_path, [1.0, 3.0])
    model, keep, _ = run(tmp_path, [2.0, 2.5], epochs=4, initial=2)
    assert keep.best["score"]["epoch"] == 2
    assert kernel_of_best(model, keep) == 2


def test_a_value_that_is_no_number_is_never_the_best(tmp_path):
    _, keep, _ = run(tmp_path, [np.nan, -5.0, np.inf])
    assert keep.best["score"] == {"epoch": 2, "value": -5.0}


def test_every_few_epochs_and_always_the_last(tmp_path):
    _, keep, history = run(tmp_path, [1.0, 2.0, 3.0], epochs=5, every=2)
    assert len(history["validator_score"]) == 3
    assert keep.best["score"]["epoch"] == 5
