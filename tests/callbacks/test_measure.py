import keras
import numpy as np
import pytest

from keras_dtl.callbacks import Alarm, Measure, ProgressImages
from keras_dtl.images import read_image


def fit(callbacks, epochs=5, initial_epoch=0):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse", run_eagerly=True)
    x, y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
    return model, model.fit(
        x, y, epochs=epochs, initial_epoch=initial_epoch, callbacks=callbacks, verbose=0
    )


def test_measures_are_logged_when_due_and_after_the_last_epoch():
    epochs = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epochs.append(epoch + 1) if "kid" in logs else None
    )
    fit([Measure(lambda model: {"kid": 1.0}, every=2), record])
    assert epochs == [2, 4, 5]


@pytest.mark.parametrize(("value", "warns"), [(-0.4, True), (-0.2, False)])
def test_alarm_names_epoch_value_and_remedy(value, warns, caplog):
    fit([Measure(lambda model: {"correlation": value}), Alarm("correlation", -0.3, "Mend it.")], 1)
    assert ("Epoch 1: correlation is -0.40. Mend it." in caplog.text) == warns
    fit([Alarm("missing", -0.3, "Never.")], 1)
    assert "Never." not in caplog.text


def test_pictures_and_logs_of_the_progress(tmp_path):
    def draw(model):
        return np.full((4, 6, 3), 9, "uint8")

    images = ProgressImages(tmp_path, draw, every=2)
    fit([images], epochs=3)
    assert [path.name for path in images.paths()] == ["epoch-00002.png", "epoch-00003.png"]
    assert (read_image(images.paths()[0]) == 9).all()
    written = b"".join(path.read_bytes() for path in (tmp_path / "tensorboard").iterdir())
    for word in (b"loss", b"scalars", b"progress", b"images", b"PNG"):
        assert word in written
