"""The same weights in PyTorch, in the published layout, give the same images."""

import importlib

import numpy as np
import pytest

from keras_dtl.backbones import patch_discriminator, resnet_generator, unet

torch = pytest.importorskip("torch")
peers = importlib.import_module("scripts.benchmarks.torch_translation")


def randomise(network):
    """Give every weight, and every moving statistic, a value that nothing leaves unchanged."""
    random = np.random.default_rng(0)
    for weight in network.weights:
        low = 0.5 if "variance" in weight.name or "gamma" in weight.name else -0.3
        weight.assign(random.uniform(low, low + 0.6, weight.shape))


def outputs_of_both(network, peer, size, channels, training):
    randomise(network)
    peers.copy_weights(network, peer)
    peer.train(training)
    x = np.random.default_rng(1).uniform(-1, 1, (2, *size, channels)).astype("float32")
    with torch.no_grad():
        theirs = peer(torch.from_numpy(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    return network(x, training=training).numpy(), theirs


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_unet(kind):
    network = unet((16, 16, 3), filters=4, normalization=kind, dropout=0)
    peer = peers.unet(3, 4, 4, kind)
    ours, theirs = outputs_of_both(network, peer, (16, 16), 3, training=True)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_resnet_generator(kind):
    network = resnet_generator((8, 12, 3), filters=4, blocks=1, normalization=kind)
    peer = peers.resnet(3, 4, 1, kind)
    ours, theirs = outputs_of_both(network, peer, (8, 12), 3, training=True)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize(("field", "strided"), [(16, 1), (34, 2), (70, 3)])
@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_patch_discriminator(field, strided, kind):
    # An odd size, at which Keras' padding="same" would fall on the other side.
    network = patch_discriminator((39, 39, 4), field, filters=4, normalization=kind)
    peer = peers.patch(4, 4, strided, kind)
    ours, theirs = outputs_of_both(network, peer, (39, 39), 4, training=True)
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


def test_pixel_discriminator():
    network = patch_discriminator((8, 8, 4), 1, filters=4)
    ours, theirs = outputs_of_both(network, peers.pixel(4, 4, "batch"), (8, 8), 4, training=True)
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)
