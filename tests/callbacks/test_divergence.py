import keras
import numpy as np
import pytest

from keras_dtl.callbacks import StopWhenDiverged, TrainingDiverged
from tests.networks import compiled, dense


def test_infinite_learning_rate_is_stopped_in_its_first_steps():
    model = compiled(dense(3), keras.optimizers.SGD(1e38))
    x, y = np.ones((64, 6), "float32") * 100, np.arange(64) % 3
    with pytest.raises(TrainingDiverged, match=r"`loss` became (nan|inf) in epoch 1, step [2-9]"):
        model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=[StopWhenDiverged()])


def test_healthy_training_is_left_alone():
    model = compiled(dense(3))
    x, y = np.ones((16, 6), "float32"), np.arange(16) % 3
    history = model.fit(x, y, verbose=0, callbacks=[StopWhenDiverged()]).history
    assert np.isfinite(history["loss"]).all()
