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
    boundary: float | None = 0.0
    """Logit above which an example is taken for real; None where logits have no such level."""


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
        boundary=0.5,
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
        None,
    ),
}


def adversarial_loss(name, real_target=1.0, generated_target=0.0):
    """Return the `AdversarialLoss` of a name.

    Args:
        name: `"vanilla"`, `"least_squares"`, `"hinge"` or `"wgan_gp"`.
        real_target: Probability that the discriminator, and the generator in its stead, shall
            reach for real examples. Below 1 neither ever is too sure (label smoothing).
        generated_target: That for generated ones; both are choices of the vanilla game alone.

    Raises:
        ValueError: When there is no such game, or no such targets in it.
    """
    if name not in ADVERSARIAL_LOSSES:
        raise ValueError(
            f"The adversarial loss must be one of {sorted(ADVERSARIAL_LOSSES)}. Received: {name!r}"
        )
    if (real_target, generated_target) == (1.0, 0.0):
        return ADVERSARIAL_LOSSES[name]
    if name != "vanilla" or not 0 <= generated_target < real_target <= 1:
        raise ValueError(
            "Other targets than 1 for real and 0 for generated examples belong to the vanilla "
            f"game, in 0 <= generated < real <= 1. Received: {name!r} with {real_target} and "
            f"{generated_target}."
        )
    return _smoothed_game(real_target, generated_target)


def _smoothed_game(real_target, generated_target):
    """Return the vanilla game with other targets than 1 and 0."""

    def towards(target):
        return lambda logits: tf.nn.softplus(logits) - target * logits

    return AdversarialLoss(
        _halves(towards(real_target), towards(generated_target)),
        lambda generated: _mean(towards(real_target)(tf.cast(generated, "float32"))),
    )


def game_without_penalty(name):
    """Return the `AdversarialLoss` of a name, for methods that have no `gradient_penalty`.

    Args:
        name: `"vanilla"`, `"least_squares"` or `"hinge"`.

    Raises:
        ValueError: For `"wgan_gp"`, which would diverge without its penalty, and unknown names.
    """
    game = adversarial_loss(name)
    if game.gradient_penalty_weight:
        known = sorted(k for k, g in ADVERSARIAL_LOSSES.items() if not g.gradient_penalty_weight)
        raise ValueError(
            f"`adversarial` must be one of {known}. Received: {name!r}, whose penalty on the slope "
            "this method has not."
        )
    return game


def gradient_penalty(discriminator, real, generated, shares):
    """Return how far the discriminator's slope between real and generated examples is from 1.

    The mean over examples of `(||gradient of the summed logits|| - 1) ** 2`, taken at one point
    on the line from each generated example to a real one.

    Reference: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017.

    Args:
        discriminator: Function from examples to logits. It must treat each example by itself:
            without batch normalisation. `keras_dtl.layers.InstanceNormalization` has the second
            gradient that is needed; that of Keras' group and layer normalisation is not exact.
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


def real_gradient_penalty(tape, logits, real):
    """Return how steep the discriminator is at real examples: the penalty R1.

    Half the mean over examples of the squared length of the gradient of its logits in its
    inputs. It lets two players settle where the plain game would circle.

    Reference: Mescheder, Geiger & Nowozin, "Which Training Methods for GANs do actually
    Converge?", ICML 2018.

    Args:
        tape: The `tf.GradientTape` that watched `real` while the logits were computed.
        logits: Tensor `(batch, ...)` of a discriminator as `gradient_penalty` takes it.
        real: List of tensors `(batch, ...)` of floating types.

    Returns:
        Scalar float32 tensor, which has a gradient in the discriminator's weights where another
        tape is open.
    """
    squares = [
        tf.reduce_sum(tf.square(tf.cast(g, "float32")), axis=list(range(1, len(g.shape))))
        for g in tape.gradient(logits, real)
    ]
    return 0.5 * tf.reduce_mean(tf.add_n(squares))
