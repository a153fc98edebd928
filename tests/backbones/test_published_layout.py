"""The same weights in PyTorch, in the published layout, give the same images."""

import keras
import numpy as np
import pytest

from keras_dtl.backbones import patch_discriminator, resnet_generator, unet

torch = pytest.importorskip("torch")
nn = torch.nn


def normalization(kind, channels):
    return {
        "batch": lambda: [nn.BatchNorm2d(channels)],
        "instance": lambda: [nn.InstanceNorm2d(channels)],
        None: lambda: [],
    }[kind]()


class Skip(nn.Module):
    """A level of the U-Net: what it is given beside what the deeper levels make of it."""

    def __init__(self, inside):
        super().__init__()
        self.inside = inside

    def forward(self, x):
        return torch.cat([x, self.inside(x)], 1)


def torch_unet(channels, filters, depth, kind):
    widths = [filters * min(2**level, 8) for level in range(depth)]
    inside = nn.Sequential(
        nn.LeakyReLU(0.2),
        nn.Conv2d(widths[-2], widths[-1], 4, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(widths[-1], widths[-2], 4, 2, 1),
        *normalization(kind, widths[-2]),
    )
    for level in reversed(range(1, depth - 1)):
        inside = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.Conv2d(widths[level - 1], widths[level], 4, 2, 1),
            *normalization(kind, widths[level]),
            Skip(inside),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * widths[level], widths[level - 1], 4, 2, 1),
            *normalization(kind, widths[level - 1]),
        )
    return nn.Sequential(
        nn.Conv2d(channels, widths[0], 4, 2, 1),
        Skip(inside),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * widths[0], channels, 4, 2, 1),
        nn.Tanh(),
    )


class Residual(nn.Module):
    def __init__(self, channels, kind):
        super().__init__()
        self.inside = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            *normalization(kind, channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            *normalization(kind, channels),
        )

    def forward(self, x):
        return x + self.inside(x)


def torch_resnet(channels, filters, blocks, kind):
    def convolution(before, after, *arguments):
        return [nn.Conv2d(before, after, *arguments), *normalization(kind, after), nn.ReLU()]

    def transposed(before, after):
        layer = nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1)
        return [layer, *normalization(kind, after), nn.ReLU()]

    return nn.Sequential(
        nn.ReflectionPad2d(3),
        *convolution(channels, filters, 7),
        *convolution(filters, 2 * filters, 3, 2, 1),
        *convolution(2 * filters, 4 * filters, 3, 2, 1),
        *[Residual(4 * filters, kind) for _ in range(blocks)],
        *transposed(4 * filters, 2 * filters),
        *transposed(2 * filters, filters),
        nn.ReflectionPad2d(3),
        nn.Conv2d(filters, channels, 7),
        nn.Tanh(),
    )


def torch_patch(channels, filters, strided, kind):
    layers, before = [], channels
    for level in range(strided + 1):
        width = filters * min(2**level, 8)
        layers.append(nn.Conv2d(before, width, 4, 2 if level < strided else 1, 1))
        layers += [*normalization(kind if level else None, width), nn.LeakyReLU(0.2)]
        before = width
    return nn.Sequential(*layers, nn.Conv2d(before, 1, 4, 1, 1))


def torch_pixel(channels, filters, kind):
    return nn.Sequential(
        nn.Conv2d(channels, filters, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(filters, 2 * filters, 1),
        *normalization(kind, 2 * filters),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * filters, 1, 1),
    )


def randomise(network):
    """Give every weight, and every moving statistic, a value that nothing leaves unchanged."""
    random = np.random.default_rng(0)
    for weight in network.weights:
        low = 0.5 if "variance" in weight.name or "gamma" in weight.name else -0.3
        weight.assign(random.uniform(low, low + 0.6, weight.shape))


def copy_weights(network, peer):
    """Copy from Keras to PyTorch, layer by layer in the order in which data passes them."""
    kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.BatchNormalization)
    ours = [layer for layer in network.layers if isinstance(layer, kinds)]
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)
    theirs = [module for module in peer.modules() if isinstance(module, kinds)]
    assert len(ours) == len(theirs)
    with torch.no_grad():
        for layer, module in zip(ours, theirs, strict=True):
            _copy_layer(layer, module)


def _copy_layer(layer, module):
    if isinstance(layer, keras.layers.BatchNormalization):
        values = {
            "weight": layer.gamma,
            "bias": layer.beta,
            "running_mean": layer.moving_mean,
            "running_var": layer.moving_variance,
        }
        for name, value in values.items():
            getattr(module, name).copy_(torch.from_numpy(value.numpy()))
        return
    # (rows, columns, in, out), of the transposed one (rows, columns, out, in)
    module.weight.copy_(torch.from_numpy(layer.kernel.numpy()).permute(3, 2, 0, 1))
    if layer.use_bias:
        module.bias.copy_(torch.from_numpy(layer.bias.numpy()))
    elif isinstance(layer, keras.layers.Conv2D) and module.bias is not None:
        pass  # left random: the normalisation that follows must take it away


def outputs_of_both(network, peer, size, channels, training):
    randomise(network)
    copy_weights(network, peer)
    peer.train(training)
    x = np.random.default_rng(1).uniform(-1, 1, (2, *size, channels)).astype("float32")
    with torch.no_grad():
        theirs = peer(torch.from_numpy(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    return network(x, training=training).numpy(), theirs


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_unet(kind):
    network = unet((16, 16, 3), filters=4, normalization=kind, dropout=0)
    peer = torch_unet(3, 4, 4, kind)
    ours, theirs = outputs_of_both(network, peer, (16, 16), 3, training=True)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_resnet_generator(kind):
    network = resnet_generator((8, 12, 3), filters=4, blocks=1, normalization=kind)
    peer = torch_resnet(3, 4, 1, kind)
    ours, theirs = outputs_of_both(network, peer, (8, 12), 3, training=True)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize(("field", "strided"), [(16, 1), (34, 2), (70, 3)])
@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_patch_discriminator(field, strided, kind):
    # An odd size, at which Keras' padding="same" would fall on the other side.
    network = patch_discriminator((39, 39, 4), field, filters=4, normalization=kind)
    peer = torch_patch(4, 4, strided, kind)
    ours, theirs = outputs_of_both(network, peer, (39, 39), 4, training=True)
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


def test_pixel_discriminator():
    network = patch_discriminator((8, 8, 4), 1, filters=4)
    ours, theirs = outputs_of_both(network, torch_pixel(4, 4, "batch"), (8, 8), 4, training=True)
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)
