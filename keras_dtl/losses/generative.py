"""The games of generative adversarial networks: one named choice for every method."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

GRADIENT_PENALTY_WEIGHT = 10.0
"""Weight of the gradient penalty in Gulrajani et al. (2017)."""


class AdversarialLoss(NamedTuple):
    """Both players' losses of one game; each returns a float32 scalar to be minimised."""

    discriminator: Callable
    """`(real_logits, generated_logits)`, tensors of any shape, to the discriminator's loss."""
    generator: Callable
    """`(generated_logits)` to the generator's loss."""
    gradient_penalty_weight: float = 0.0
    """Weight of `gradient_penalty`, which the game needs beside the discriminator's loss."""


def _mean(values):
    return tf.reduce_mean(tf.cast(values, "float32"))


def _halves(of_real, of_generated):
    """Real and generated images count half each, which slows the discriminator down."""

    def loss(real_logits, generated_logits):
        return 0.5 * (
            _mean(of_real(tf.cast(real_logits, "float32")))
            + _mean(of_generated(tf.cast(generated_logits, "float32")))
        )

    return loss


ADVERSARIAL_LOSSES = {
    # Goodfellow et al. 2014; the generator's is the one that does not saturate.
    "vanilla": AdversarialLoss(
        _halves(lambda real: tf.nn.softplus(-real), tf.nn.softplus),
        lambda generated: _mean(tf.nn.softplus(-tf.cast(generated, "float32"))),
    ),
    # Mao et al. 2017, with the targets 1 for real and 0 for generated.
    "least_squares": AdversarialLoss(
        _halves(lambda real: tf.square(real - 1.0), tf.square),
        lambda generated: _mean(tf.square(tf.cast(generated, "float32") - 1.0)),
    ),
    # Lim & Ye 2017.
    "hinge": AdversarialLoss(
        _halves(lambda real: tf.nn.relu(1.0 - real), lambda generated: tf.nn.relu(1.0 + generated)),
        lambda generated: -_mean(generated),
    ),
    # Arjovsky et al. 2017 with the penalty of Gulrajani et al. 2017.
    "wgan_gp": AdversarialLoss(
        lambda real, generated: _mean(generated) - _mean(real),
        lambda generated: -_mean(generated),
        GRADIENT_PENALTY_WEIGHT,
    ),
}


def adversarial_loss(name):
    """Return the `AdversarialLoss` of a name.

    Args:
        name: `"vanilla"`, `"least_squares"`, `"hinge"` or `"wgan_gp"`.

    Raises:
        ValueError: When there is no such game.
    """
    if name not in ADVERSARIAL_LOSSES:
        raise ValueError(
            f"The adversarial loss must be one of {sorted(ADVERSARIAL_LOSSES)}. Received: {name!r}"
        )
    return ADVERSARIAL_LOSSES[name]


def gradient_penalty(discriminator, real, generated, shares):
    """Return how far the discriminator's slope between real and generated examples is from 1.

    The mean over examples of `(||gradient of the summed logits|| - 1) ** 2`, taken at one point
    on the line from each generated example to a real one.

    Reference: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017.

    Args:
        discriminator: Function from examples to logits. It must treat each example by itself:
            without batch normalisation.
        real: Tensor `(batch, ...)`.
        generated: Tensor of the same shape.
        shares: Numbers in 0..1 `(batch,)`: where on the line, drawn at random.

    Returns:
        Scalar float32 tensor, which has a gradient in the discriminator's weights.
    """
    rank = len(real.shape)
    shares = tf.reshape(tf.cast(shares, real.dtype), [-1] + [1] * (rank - 1))
    between = generated + shares * (real - generated)
    with tf.GradientTape() as tape:
        tape.watch(between)
        logits = discriminator(between)
    gradient = tf.cast(tape.gradient(logits, between), "float32")
    # The root has no slope at 0: a discriminator that is flat there must not give NaN.
    squares = tf.reduce_sum(tf.square(gradient), axis=list(range(1, rank)))
    return tf.reduce_mean(tf.square(tf.sqrt(squares + 1e-12) - 1.0))
