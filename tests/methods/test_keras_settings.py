"""Settings of Keras that hold for a whole process."""

import keras
import numpy as np
import pytest

from keras_dtl.methods import SourceOnly
from tests.methods.test_training_mode import CASES, spied
from tests.networks import CLASSES, dense, encoder


@pytest.fixture
def settings():
    before = keras.config.floatx(), keras.config.image_data_format()
    spied.cache_clear()
    yield
    keras.config.set_floatx(before[0])
    keras.config.set_image_data_format(before[1])
    spied.cache_clear()


def test_channels_that_come_first_are_refused(settings):
    networks = encoder(), dense(CLASSES)
    keras.config.set_image_data_format("channels_first")
    with pytest.raises(ValueError, match="'channels_first'.*take the height for the channels"):
        SourceOnly(*networks)


@pytest.mark.parametrize("name", ["dann", "adda", "fine_tuning", "swap_vae", "cgmv"])
def test_methods_learn_with_weights_of_64_bits(name, settings):
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    model, batch = spied(name), CASES[name][1]()
    assert {str(v.dtype) for v in model.encoder.trainable_variables} == {"float64"}
    start = model.get_weights()
    logs = model.train_step(batch)
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert any((a != b).any() for a, b in zip(start, model.get_weights(), strict=True))
