import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.callbacks import ProgressSchedule
from tests.networks import compiled, dense


class Recorder(keras.callbacks.Callback):
    """Notes the learning rate that each step was taken with."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate.numpy()))


def dataset():
    x = np.zeros((4, 6), "float32")
    return tf.data.Dataset.from_tensors((x, np.zeros(4, "int32"))).repeat()


def rates(epochs, initial_epoch=0, policy=None):
    recorder = Recorder()
    model = compiled(dense(3))
    schedule = ProgressSchedule({"optimizer.learning_rate": lambda progress: 1 + progress})
    history = model.fit(
        dataset(),
        epochs=epochs,
        initial_epoch=initial_epoch,
        steps_per_epoch=5,
        verbose=0,
        callbacks=[schedule, recorder],
    )
    return recorder.rates, history.history


def test_progress_runs_over_all_steps_of_all_epochs():
    found, _ = rates(epochs=2)
    np.testing.assert_allclose(found, 1 + np.arange(10) / 10, rtol=1e-6)


def test_resumed_training_goes_on_in_the_schedule():
    found, _ = rates(epochs=2, initial_epoch=1)
    np.testing.assert_allclose(found, 1 + np.arange(5, 10) / 10, rtol=1e-6)


def test_values_appear_in_the_logs():
    _, history = rates(epochs=2)
    np.testing.assert_allclose(history["learning_rate"], [1.4, 1.9])


@pytest.mark.parametrize("first", [False, True])
def test_rates_that_another_callback_sets_too_are_told(first, caplog):
    model = compiled(dense(3))
    schedule = ProgressSchedule({"optimizer.learning_rate": lambda progress: 0.1 + progress})
    plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.5, patience=0, min_delta=1e9)
    pair = [plateau, schedule] if first else [schedule, plateau]
    settings = {"epochs": 3, "steps_per_epoch": 2, "verbose": 0}
    model.fit(dataset(), callbacks=[schedule], **settings)
    model.optimizer.learning_rate = 0.5  # between two trainings it is the user's
    model.fit(dataset(), callbacks=[schedule], **settings)
    assert not caplog.text
    model.fit(dataset(), callbacks=pair, **settings)
    assert caplog.text.count("optimizer.learning_rate was changed") == 1


def test_rates_of_players_appear_under_names_of_their_own():
    model = compiled(dense(3))
    model.critic_optimizer = keras.optimizers.SGD(1.0)
    schedule = ProgressSchedule(
        {
            "optimizer.learning_rate": lambda progress: 2.0,
            "critic_optimizer.learning_rate": lambda progress: 3.0,
        }
    )
    history = model.fit(dataset(), steps_per_epoch=1, verbose=0, callbacks=[schedule]).history
    assert [history[name] for name in ("learning_rate", "critic_learning_rate")] == [[2], [3]]


def test_a_variable_of_the_model_is_assigned_in_place():
    model = compiled(dense(3))
    model.strength = keras.Variable(0.0, trainable=False)
    variable = model.strength
    schedule = ProgressSchedule({"strength": lambda progress: 0.5})
    model.fit(dataset(), steps_per_epoch=2, verbose=0, callbacks=[schedule])
    assert model.strength is variable
    assert float(variable.numpy()) == 0.5


def test_a_path_that_leads_nowhere_is_an_error():
    schedule = ProgressSchedule({"optimizer.learning_rat": lambda progress: 0.5})
    with pytest.raises(AttributeError, match="learning_rat"):
        compiled(dense(3)).fit(dataset(), steps_per_epoch=1, verbose=0, callbacks=[schedule])


def test_a_training_without_length_is_refused():
    schedule = ProgressSchedule({"optimizer.learning_rate": lambda progress: 0.5})
    with pytest.raises(ValueError, match="steps_per_epoch"):
        compiled(dense(3)).fit(dataset(), verbose=0, callbacks=[schedule])


def test_plain_numbers_are_refused_which_a_compiled_step_reads_once():
    model = compiled(dense(3))
    model.strength = 1.0
    schedule = ProgressSchedule({"strength": lambda progress: progress})
    with pytest.raises(ValueError, match="'strength' leads to 1.0, a plain number"):
        model.fit(dataset(), steps_per_epoch=2, verbose=0, callbacks=[schedule])
