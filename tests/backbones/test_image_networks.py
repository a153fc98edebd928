"""U-Net, ResNet generator and patch discriminator: shapes, start, and what they refuse."""

import keras
import numpy as np
import pytest

from keras_dtl.backbones import patch_discriminator, resnet_generator, unet


def signed_images(shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def layers_of(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def published_parameters(network):
    """Count weights as PyTorch does: without the moving statistics of batch normalisation."""
    return sum(int(np.prod(w.shape)) for w in network.trainable_weights)


@pytest.mark.parametrize("size", [(16, 16), (32, 16)])
def test_unet_keeps_size_and_range(size):
    network = unet((*size, 2), output_channels=4, filters=4)
    y = network(signed_images((2, *size, 2))).numpy()
    assert y.shape == (2, *size, 4)
    assert np.abs(y).max() <= 1


def test_unet_256_is_the_published_one():
    network = unet((256, 256, 3))
    # 54.414 million in the published code, whose outermost and innermost convolution has no bias.
    assert round((published_parameters(network) - 64 - 512) / 1e6, 3) == 54.414
    norms = layers_of(network, keras.layers.BatchNormalization)
    assert len(norms) == 6 + 7  # none on the outermost map, none on the 1x1 bottleneck
    assert {norm.epsilon for norm in norms} == {1e-5}
    assert len(layers_of(network, keras.layers.Dropout)) == 3
    assert {layer.negative_slope for layer in layers_of(network, keras.layers.LeakyReLU)} == {0.2}


def test_unet_bottleneck_of_one_position_keeps_its_information():
    """With normalisation on the 1x1 map of a single image nothing of the image is left."""
    network = unet((8, 8, 3), filters=4, dropout=0)
    bottleneck = keras.Model(network.input, layers_of(network, keras.layers.Conv2D)[2].output)
    first, second = (
        bottleneck(signed_images((1, 8, 8, 3), seed), training=True).numpy() for seed in (0, 1)
    )
    assert first.shape == (1, 1, 1, 16)
    assert np.abs(first - second).max() > 1e-6


@pytest.mark.parametrize(("blocks", "parameters"), [(9, 11_378_179), (6, 7_837_699)])
def test_resnet_generator_is_the_published_one(blocks, parameters):
    network = resnet_generator((32, 32, 3), blocks=blocks)
    # The published code has a bias before each normalisation, which subtracts it.
    useless = 64 + 128 + 256 + 2 * blocks * 256 + 128 + 64
    assert published_parameters(network) == parameters - useless
    assert layers_of(network, keras.layers.BatchNormalization) == []


def test_resnet_generator_takes_any_multiple_of_four():
    network = resnet_generator((None, None, 1), output_channels=2, filters=2, blocks=1)
    for size in ((8, 8), (12, 20)):
        assert network(signed_images((1, *size, 1))).shape == (1, *size, 2)


@pytest.mark.parametrize(("upsampling", "even"), [("resize", True), ("transposed", False)])
def test_resizing_leaves_an_even_image_even(upsampling, even):
    network = resnet_generator(
        (64, 64, 3), filters=4, blocks=1, normalization=None, upsampling=upsampling
    )
    for weight in network.trainable_weights:
        weight.assign(np.random.default_rng(0).uniform(-0.2, 0.2, weight.shape))
    generated = network(np.full((1, 64, 64, 3), 0.5, "float32")).numpy()
    inner = generated[:, 24:-24, 24:-24]  # strided convolutions pad the edge with zeros
    assert (np.ptp(inner, (1, 2)).max() < 1e-5) == even


def test_zero_padding_draws_what_reflection_does_not():
    networks = [
        resnet_generator((8, 8, 3), filters=2, blocks=1, padding=padding, dropout=0.5)
        for padding in ("reflect", "zero")
    ]
    networks[1].set_weights(networks[0].get_weights())
    x = signed_images((1, 8, 8, 3))
    assert np.abs(networks[0](x).numpy() - networks[1](x).numpy()).max() > 0


def receptive_field(network, size):
    """Return how many rows of the input move the logit in the middle."""
    x = signed_images((1, size, size, 1))
    row = network.output_shape[1] // 2
    before = network(x).numpy()[0, row, row, 0]
    changed = np.repeat(x, size, 0)
    changed[np.arange(size), np.arange(size)] += 1
    after = network(changed).numpy()[:, row, row, 0]
    return int((after != before).sum())


@pytest.mark.parametrize(("field", "size"), [(1, 8), (16, 32), (34, 64), (70, 128)])
def test_logit_sees_a_patch_of_the_named_side(field, size):
    network = patch_discriminator((size, size, 1), field, filters=2, normalization=None)
    # Zeros around the image cut patches short at its edges: this one lies in the middle.
    assert receptive_field(network, size) == field


def test_patch_discriminator_is_the_published_one():
    network = patch_discriminator((256, 256, 6))
    assert network.output_shape == (None, 30, 30, 1)
    assert published_parameters(network) == 2_768_705
    assert patch_discriminator((256, 256, 6), 286).output_shape == (None, 6, 6, 1)


def test_weights_start_as_published():
    network = unet((64, 64, 3), filters=16)
    kernels = [layer.kernel.numpy() for layer in layers_of(network, keras.layers.Conv2D)]
    for kernel in kernels:
        assert abs(kernel.mean()) < 3e-3
        assert kernel.std() == pytest.approx(0.02, rel=0.1)
    gammas = np.concatenate(
        [n.gamma.numpy() for n in layers_of(network, keras.layers.BatchNormalization)]
    )
    assert gammas.mean() == pytest.approx(1, abs=0.01)
    assert gammas.std() == pytest.approx(0.02, rel=0.3)


def test_mixed_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    x = signed_images((1, 16, 16, 3))
    for network in (
        unet((16, 16, 3), filters=2),
        resnet_generator((16, 16, 3), filters=2, blocks=1),
        patch_discriminator((16, 16, 3), 16, filters=2),
    ):
        assert network(x).dtype == "float32"


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: unet((48, 48, 3)), "power of two"),
        (lambda: unet((None, None, 3)), "power of two"),
        (lambda: unet((48, 48, 3), depth=5), "multiples of 32"),
        (lambda: unet((16, 16, 3), normalization="layer"), "normalization"),
        (lambda: resnet_generator((30, 30, 3)), "multiples of 4"),
        (lambda: resnet_generator((4, 4, 3)), "at least 8"),
        (lambda: resnet_generator(padding="same"), "padding"),
        (lambda: resnet_generator(upsampling="bilinear"), "upsampling"),
        (lambda: patch_discriminator(receptive_field=71), "receptive_field"),
        (lambda: patch_discriminator((16, 16, 3), 70), "at least 24"),
    ],
)
def test_unusable_arguments_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
