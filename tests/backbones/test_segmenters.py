import numpy as np
import pytest

from keras_dtl.backbones import (
    mobilenet_aspp,
    pixel_classifier,
    pixel_discriminator,
    pretrained,
    unet_encoder,
)


@pytest.mark.parametrize("size", [(16, 16), (9, 23)])
def test_unet_keeps_any_size(size):
    encoder = unet_encoder(filters=2, depth=2)
    images = np.zeros((1, *size, 3), "uint8")
    assert encoder(images).shape == (1, *size, 2)
    logits = pixel_classifier(encoder.output_shape[1:], 4)(encoder(images))
    assert logits.shape == (1, *size, 4)
    assert pixel_discriminator((None, None, 4), (3,))(logits).shape[-1] == 1


@pytest.mark.slow
def test_mobilenet_starts_from_its_weights_at_any_size(tmp_path):
    source = pretrained("MobileNetV2", (32, 32, 3), None)
    source.layers[-1].save_weights(tmp_path / "a.weights.h5")
    encoder = mobilenet_aspp(weights=str(tmp_path / "a.weights.h5"), filters=4, skip=2)
    body = encoder.get_layer("mobilenet")
    ours = body.get_layer("block_13_expand").get_weights()[0]
    theirs = source.layers[-1].get_layer("block_13_expand").get_weights()[0]
    np.testing.assert_array_equal(ours, theirs)
    assert encoder(np.zeros((1, 37, 50, 3), "uint8")).shape == (1, 9, 12, 4)
