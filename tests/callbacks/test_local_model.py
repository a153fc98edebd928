import keras
import numpy as np

from keras_dtl.callbacks.local_model import LocalModel


def test_local_model_computes_as_the_trained_one():
    """Also what a layer makes of the statistics that it was shown."""
    normalization = keras.layers.Normalization()
    normalization.adapt(np.float32([[3.0], [5.0], [10.0]]))
    numbers = keras.Input((1,))
    model = keras.Model(numbers, keras.layers.Dense(2)(normalization(numbers)))
    callback = LocalModel([], keras.models.clone_model(model))
    callback.set_model(model)
    callback.on_epoch_end(0)
    given = np.float32([[1.0], [7.0]])
    np.testing.assert_array_equal(callback.local(given), model(given))
