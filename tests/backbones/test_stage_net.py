import keras
import numpy as np
import pytest

from keras_dtl.backbones import stage_net


@pytest.mark.parametrize("size", [(8, 8), (32, 32), (64, 96), (224, 224)])
def test_features_neither_grow_in_number_nor_in_size_with_the_image(size):
    keras.utils.set_random_seed(0)
    encoder = stage_net((*size, 3))
    images = np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype("uint8")
    features = encoder(images).numpy()
    assert features.shape[1] <= 5 * 5 * 128
    assert 0.1 < features.std() < 2.0


def test_an_image_is_encoded_alike_in_any_batch():
    encoder = stage_net((32, 32, 3))
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype("uint8")
    images[2:] //= 8
    alone, together = encoder(images[:1], training=True), encoder(images, training=True)
    np.testing.assert_allclose(alone, together[:1], atol=1e-5)


@pytest.mark.parametrize("size", [(7, 32), (None, None)])
def test_sizes_that_cannot_be_halved_are_refused(size):
    with pytest.raises(ValueError, match="at least 8 pixels"):
        stage_net((*size, 3))
