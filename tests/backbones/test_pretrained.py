import keras
import numpy as np
import pytest

from keras_dtl.backbones import architectures, pretrained

SHAPE = (32, 32, 3)


@pytest.fixture(scope="module")
def network():
    return pretrained("MobileNetV2", SHAPE, weights=None)


def test_preprocessing_is_in_the_graph(network):
    images = np.random.default_rng(0).integers(0, 256, (2, *SHAPE)).astype("uint8")
    assert network.inputs[0].dtype == "uint8"
    prepared = keras.applications.mobilenet_v2.preprocess_input(images.astype("float32"))
    np.testing.assert_allclose(network(images), network.layers[-1](prepared), atol=1e-6)


def test_weights_come_from_a_file_whose_folded_batch_normalisation_is_named(
    network, tmp_path, caplog
):
    body = network.layers[-1]
    kept = body.get_weights()
    body.get_layer("bn_Conv1").moving_mean.assign_add(np.ones(32))
    body.save_weights(tmp_path / "real.weights.h5")
    real = body.get_weights()
    body.set_weights(kept)
    body.save_weights(tmp_path / "folded.weights.h5")
    other = pretrained("MobileNetV2", SHAPE, str(tmp_path / "real.weights.h5"))
    assert other.output_shape == (None, 1280) and not caplog.text
    for a, b in zip(real, other.layers[-1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    pretrained("MobileNetV2", SHAPE, str(tmp_path / "folded.weights.h5"))
    assert "folded.weights.h5" in caplog.text and "--batch-norm frozen" in caplog.text


@pytest.mark.slow
def test_caffe_preprocessing_survives_saving(tmp_path):
    network = pretrained("VGG16", SHAPE, weights=None)
    network.save(tmp_path / "a.keras")
    images = np.random.default_rng(0).integers(0, 256, (2, *SHAPE)).astype("uint8")
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_allclose(network(images), loaded(images), rtol=1e-5)


def test_every_architecture_has_its_preprocessing():
    names = architectures()
    assert {"MobileNetV2", "MobileNetV3Small", "ResNet50", "EfficientNetB0"} <= set(names)
    assert len(names) > 35


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("MobileNet2", SHAPE, None), ValueError, "Did you mean MobileNetV2"),
        (("MobileNetV2", (32, 32, 1), None), ValueError, "3 channels"),
        (("MobileNetV2", (16, 16, 3), None), ValueError, "16, 16, 3"),
        (("MobileNetV2", SHAPE, "absent.h5"), FileNotFoundError, "absent.h5"),
    ],
)
def test_unusable_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        pretrained(*arguments)
