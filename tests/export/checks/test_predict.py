"""What each method's `predict` gives, beside what of it is deployed."""

import keras
import numpy as np
import pytest

from keras_dtl import backbones
from keras_dtl.export.checks.truth import predicted_probe
from keras_dtl.export.deployable import deployable_of
from keras_dtl.methods import GMV, Pix2Pix, SequenceGMV
from tests.export.test_motion import FEATURES, SCALE, autoencoder, transfer
from tests.export.test_separation import SHAPE, cgmv, swap_vae


def gmv():
    judge = backbones.pair_discriminator(SHAPE, filters=2)
    return GMV(backbones.latent_decoder(SHAPE, 3, 2, 2), judge)


def sequence_gmv():
    return SequenceGMV(
        backbones.motion_generator(FEATURES, 8, 4, content=5, style=3, modes=3),
        backbones.motion_pair_discriminator(FEATURES, 4),
        *SCALE,
    )


def pix2pix():
    generator = backbones.unet((24, 24, 3), filters=4, depth=2, normalization="instance")
    return Pix2Pix(generator, backbones.patch_discriminator((24, 24, 6), 16, filters=4))


def inputs_of(deployable):
    random = np.random.default_rng(0)
    found = {}
    for item in deployable.inputs:
        shape = (3, *(24 if size is None else size for size in item.shape[1:]))
        if item.dtype == "uint8":
            found[item.name] = random.integers(0, 256, shape, dtype=np.uint8)
        else:
            found[item.name] = random.normal(size=shape).astype("float32")
    return found


@pytest.mark.parametrize("make", [gmv, cgmv, swap_vae, transfer, sequence_gmv, pix2pix])
def test_what_is_deployed_is_what_predict_means(make):
    model = make()
    deployable = deployable_of(model)
    inputs = inputs_of(deployable)
    probe = predicted_probe(model, deployable, inputs)
    [name] = probe.outputs
    received = np.asarray(deployable(inputs)[name])
    assert received.shape == probe.outputs[name].shape
    tolerance = 1 if received.dtype == np.uint8 else 1e-5
    assert np.abs(received.astype("float64") - probe.outputs[name]).max() <= tolerance
    assert received.std() > 0


def test_parts_of_an_autoencoder_make_what_calling_it_makes():
    """Which is another thing than its deployed decoder: that begins with codes."""
    model, random = autoencoder(), np.random.default_rng(0)
    motion = random.normal(size=(2, 12, FEATURES)).astype("float32")
    labels = np.array([0, 1])
    expected = np.asarray(model((motion, labels)))
    parts = model.parts()
    code = np.asarray(parts["encoder"](motion)["code"])
    joined = np.concatenate([code, np.eye(2, dtype="float32")[labels]], 1)
    repeated = np.repeat(joined[:, None], 12, 1)
    np.testing.assert_allclose(parts["decoder"](repeated), expected, atol=1e-5)
    assert predicted_probe(model, deployable_of(model), {"noise": repeated}) is None


def test_batch_normalised_generators_answer_each_image_as_in_training():
    """`predict` takes moving averages instead, which is not what was trained."""
    keras.utils.set_random_seed(0)
    generator = backbones.unet((16, 16, 3), filters=4, normalization="batch", dropout=0.0)
    judge = backbones.patch_discriminator((16, 16, 6), 16, filters=4)
    model = Pix2Pix(generator, judge)
    deployable = deployable_of(model)
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    assert predicted_probe(model, deployable, {"image": images}) is None
    received = np.asarray(next(iter(deployable({"image": images}).values()))).astype(float)
    for image, found in zip(images, received, strict=True):
        expected = generator(image[None] / np.float32(127.5) - 1, training=True)[0]
        assert np.abs(found - (np.asarray(expected) + 1) * 127.5).max() <= 1
