import numpy as np
import pytest

from keras_dtl.backbones import (
    class_discriminator,
    latent_decoder,
    latent_encoder,
    pair_discriminator,
)
from keras_dtl.layers import MixtureCode


@pytest.mark.parametrize("side", [8, 28, 64])
def test_codes_and_images_have_the_sizes_asked_for(side):
    shape = (side, side, 1)
    encoder, decoder = latent_encoder(shape, 3, 2, 2), latent_decoder(shape, 3, 2, 2)
    assert [output.shape[1] for output in encoder.outputs] == [3, 2, 2]
    assert latent_encoder(shape, 3, filters=2).output_shape == (None, 3)
    images = decoder([np.ones((2, 3)), np.ones((2, 2))])
    assert images.shape == (2, *shape) and np.abs(images).max() <= 1


def test_contents_of_one_mode_look_more_alike_than_those_of_two():
    decoder = latent_decoder((8, 8, 1), 3, 2, 2, modes=4)
    [mixture] = [layer for layer in decoder.layers if isinstance(layer, MixtureCode)]
    mixture.means.assign(9 * mixture.means)
    content = mixture.directions.numpy().T[[0, 0, 1]] * [[20], [25], [20]]  # of modes 0, 0 and 1
    first, near, far = decoder([content, np.zeros((3, 2))]).numpy()
    assert np.abs(first - near).max() < np.abs(first - far).max()


def test_siamese_judgement_is_the_same_in_both_orders():
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 3, 8, 8, 1)).astype("float32")
    for kind, same in (("siamese", True), ("concat", False)):
        judge = pair_discriminator((8, 8, 1), kind, 2)
        both = judge([first, second]), judge([second, first])
        assert np.allclose(*both, atol=1e-5) == same
    assert judge.output_shape == (None, 1)


def test_class_changes_the_judgement_of_an_image():
    judge = class_discriminator((8, 8, 1), 3, 2)
    image = np.repeat(np.random.default_rng(0).normal(size=(1, 8, 8, 1)), 2, 0)
    logits = judge([image.astype("float32"), np.array([0, 1])]).numpy()
    assert abs(logits[0, 0] - logits[1, 0]) > 1e-6


@pytest.mark.parametrize("shape", [(8, 12, 1), (9, 9, 1), (4, 4, 1)])
def test_images_that_do_not_halve_are_refused(shape):
    with pytest.raises(ValueError, match="square"):
        latent_encoder(shape, 2)


def test_empty_codes_and_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="style=0"):
        latent_decoder((8, 8, 1), 3, 0)
    with pytest.raises(ValueError, match="content=0"):
        latent_encoder((8, 8, 1), 0, 2)
    with pytest.raises(ValueError, match="kind"):
        pair_discriminator((8, 8, 1), "triple")
