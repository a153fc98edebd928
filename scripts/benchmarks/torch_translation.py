"""pix2pix and CycleGAN in plain eager PyTorch, after the published code: peers to measure against.

Networks have the published layout and take the same weights as ours (`copy_weights`), which
tests/backbones/test_published_layout.py checks. Needs the extra `[peers]`.
"""

import itertools
import random

import torch
from torch import nn
from torch.nn import functional

NOISY_MAPS = 3


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


def unet(channels, filters, depth, kind, dropout=0.0):
    widths = [filters * min(2**level, 8) for level in range(depth)]
    inside = nn.Sequential(
        nn.LeakyReLU(0.2),
        nn.Conv2d(widths[-2], widths[-1], 4, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(widths[-1], widths[-2], 4, 2, 1),
        *normalization(kind, widths[-2]),
        *_noise(dropout, depth - 1, depth),
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
            *_noise(dropout, level, depth),
        )
    return nn.Sequential(
        nn.Conv2d(channels, widths[0], 4, 2, 1),
        Skip(inside),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * widths[0], channels, 4, 2, 1),
        nn.Tanh(),
    )


def _noise(dropout, level, depth):
    return [nn.Dropout(dropout)] if dropout and level >= depth - NOISY_MAPS else []


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


def resnet(channels, filters, blocks, kind):
    def convolution(before, after, *arguments):
        return [nn.Conv2d(before, after, *arguments), *normalization(kind, after), nn.ReLU()]

    def upsampling(before, after):
        layer = nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1)
        return [layer, *normalization(kind, after), nn.ReLU()]

    return nn.Sequential(
        nn.ReflectionPad2d(3),
        *convolution(channels, filters, 7),
        *convolution(filters, 2 * filters, 3, 2, 1),
        *convolution(2 * filters, 4 * filters, 3, 2, 1),
        *[Residual(4 * filters, kind) for _ in range(blocks)],
        *upsampling(4 * filters, 2 * filters),
        *upsampling(2 * filters, filters),
        nn.ReflectionPad2d(3),
        nn.Conv2d(filters, channels, 7),
        nn.Tanh(),
    )


def patch(channels, filters, strided, kind):
    layers, before = [], channels
    for level in range(strided + 1):
        width = filters * min(2**level, 8)
        layers.append(nn.Conv2d(before, width, 4, 2 if level < strided else 1, 1))
        layers += [*normalization(kind if level else None, width), nn.LeakyReLU(0.2)]
        before = width
    return nn.Sequential(*layers, nn.Conv2d(before, 1, 4, 1, 1))


def pixel(channels, filters, kind):
    return nn.Sequential(
        nn.Conv2d(channels, filters, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(filters, 2 * filters, 1),
        *normalization(kind, 2 * filters),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * filters, 1, 1),
    )


def start(network):
    """Give every weight the papers' start."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return network


def copy_weights(network, peer):
    """Copy from Keras to PyTorch, layer by layer in the order in which data passes them.

    A bias that ours lack stays as it is: the normalisation that follows takes it away.
    """
    import keras  # the peers themselves run where there is no Keras

    kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.BatchNormalization)
    ours = [layer for layer in network.layers if isinstance(layer, kinds)]
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)
    theirs = [module for module in peer.modules() if isinstance(module, kinds)]
    with torch.no_grad():
        for layer, module in zip(ours, theirs, strict=True):
            for name, value in _values(layer).items():
                getattr(module, name).copy_(torch.from_numpy(value))


def _values(layer):
    if hasattr(layer, "moving_mean"):
        return {
            "weight": layer.gamma.numpy(),
            "bias": layer.beta.numpy(),
            "running_mean": layer.moving_mean.numpy(),
            "running_var": layer.moving_variance.numpy(),
        }
    # (rows, columns, in, out), of the transposed one (rows, columns, out, in)
    values = {"weight": layer.kernel.numpy().transpose(3, 2, 0, 1)}
    return {**values, "bias": layer.bias.numpy()} if layer.use_bias else values


def to_signed(images):
    """Return a uint8 array `(batch, height, width, channels)` as a tensor in -1..1."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1


def adam(networks):
    parameters = itertools.chain(*(network.parameters() for network in networks))
    return torch.optim.Adam(parameters, 2e-4, (0.5, 0.999), eps=1e-7)


def set_learning(network, does):
    """Let the weights of a network get gradients, or not."""
    for parameter in network.parameters():
        parameter.requires_grad_(does)


class Pix2Pix:
    """L1 + cGAN: the step of the discriminator first, as published.

    Args:
        generator, discriminator: Modules.
        reconstruction_weight: Of L1.
    """

    def __init__(self, generator, discriminator, reconstruction_weight=100.0):
        self.generator, self.discriminator = generator, discriminator
        self.reconstruction_weight = reconstruction_weight
        self.optimizer = adam([generator])
        self.discriminator_optimizer = adam([discriminator])

    def judge(self, source, image, real):
        logits = self.discriminator(torch.cat([source, image], 1))
        wanted = torch.ones_like(logits) if real else torch.zeros_like(logits)
        return functional.binary_cross_entropy_with_logits(logits, wanted)

    def step(self, a, b):
        """Learn from a batch of uint8 pairs; return the losses as numbers."""
        source, target = to_signed(a), to_signed(b)
        generated = self.generator(source)
        set_learning(self.discriminator, True)
        self.discriminator_optimizer.zero_grad()
        of_judge = self.judge(source, generated.detach(), False)
        of_judge = 0.5 * (of_judge + self.judge(source, target, True))
        of_judge.backward()
        self.discriminator_optimizer.step()
        set_learning(self.discriminator, False)
        self.optimizer.zero_grad()
        adversarial = self.judge(source, generated, True)
        reconstruction = functional.l1_loss(generated, target)
        (adversarial + self.reconstruction_weight * reconstruction).backward()
        self.optimizer.step()
        return [loss.item() for loss in (of_judge, adversarial, reconstruction)]


class Pool:
    """The published pool of generated images."""

    def __init__(self, size):
        self.size, self.images = size, []

    def __call__(self, images):
        return torch.cat([self.exchange(image[None]) for image in images])

    def exchange(self, image):
        if len(self.images) < self.size:
            self.images.append(image)
            return image
        if random.random() < 0.5:
            return image
        place = random.randrange(self.size)
        old, self.images[place] = self.images[place], image
        return old


class CycleGAN:
    """Least squares, cycle and identity: both generators first, then each discriminator."""

    def __init__(self, there, back, judge_a, judge_b, cycle_weight=10.0, identity_weight=0.5):
        self.there, self.back, self.judge_a, self.judge_b = there, back, judge_a, judge_b
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.optimizer = adam([there, back])
        self.discriminator_optimizer = adam([judge_a, judge_b])
        self.pool_a, self.pool_b = Pool(50), Pool(50)

    def step(self, a, b):
        """Learn from a batch of uint8 images of each domain; return the losses as numbers."""
        a, b = to_signed(a), to_signed(b)
        judges = (self.judge_a, self.judge_b)
        for judge in judges:
            set_learning(judge, False)
        self.optimizer.zero_grad()
        fake_b, fake_a = self.there(a), self.back(b)
        cycle = functional.l1_loss(self.back(fake_b), a)
        cycle = cycle + functional.l1_loss(self.there(fake_a), b)
        identity = functional.l1_loss(self.back(a), a) + functional.l1_loss(self.there(b), b)
        adversarial = _square(self.judge_a(fake_a), 1) + _square(self.judge_b(fake_b), 1)
        weighted = self.cycle_weight * (cycle + self.identity_weight * identity)
        (adversarial + weighted).backward()
        self.optimizer.step()
        for judge in judges:
            set_learning(judge, True)
        self.discriminator_optimizer.zero_grad()
        of_a = self.discriminate(self.judge_a, a, self.pool_a(fake_a.detach()))
        of_b = self.discriminate(self.judge_b, b, self.pool_b(fake_b.detach()))
        self.discriminator_optimizer.step()
        return [loss.item() for loss in (adversarial, cycle, identity, of_a, of_b)]

    def discriminate(self, judge, real, generated):
        loss = 0.5 * (_square(judge(real), 1) + _square(judge(generated), 0))
        loss.backward()
        return loss


def _square(logits, wanted):
    return (logits - wanted).square().mean()


def translate(generator, images):
    """Return what a generator makes of uint8 images, as uint8; dropout rests."""
    for module in generator.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    with torch.no_grad():
        # One by one: batch normalisation then takes each image's own statistics, as ours does.
        parts = [generator(to_signed(images[index : index + 1])) for index in range(len(images))]
    generator.train()
    pixels = (torch.cat(parts).permute(0, 2, 3, 1) + 1) * 127.5
    return pixels.round().clamp(0, 255).to(torch.uint8).numpy()
