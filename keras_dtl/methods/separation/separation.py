"""What the methods that separate content from style share: one discriminator and its restraints."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from keras_dtl.distribution import draw, mean, replica_count
from keras_dtl.layers import FixedCode, ToPixels, from_pixels
from keras_dtl.losses import adversarial_loss, gradient_penalty, real_gradient_penalty
from keras_dtl.methods.given_batches import require_parts
from keras_dtl.methods.given_labels import faults_in_words
from keras_dtl.methods.inputs import check_all_pixels
from keras_dtl.methods.networks import has_batch_norm, refuse_added_losses, require_logits
from keras_dtl.methods.scaling_method import ScalingMethod
from keras_dtl.methods.signed_images import require_signed_input

SHARED = ("adversarial", "real_target", "generated_target", "gate", "real_penalty_weight")
"""Arguments of every method of separation, which it takes as keywords."""


class Separation(ScalingMethod):
    """Networks of codes and images against a discriminator of several inputs.

    The discriminator takes a list, such as two images, or an image and its class. Four restraints
    keep it from winning, beside a lower learning rate: targets short of certainty, a gate, a
    penalty on its slope, and pairs in random order.

    Args:
        discriminator: Network from a list of inputs to logits.
        adversarial: The game: `"vanilla"`, `"least_squares"`, `"hinge"` or `"wgan_gp"`.
        real_target, generated_target: Probabilities that the discriminator reaches for in the
            vanilla game, such as 0.9 and 0.1.
        gate: Share of right answers above which the discriminator rests for a step, such as 0.8;
            `None` lets it always learn. Several replicas go by their mean share.
        real_penalty_weight: Weight of the penalty R1, see `keras_dtl.losses`; 0 for none.
    """

    player_optimizers = ("discriminator_optimizer",)
    own_losses = True
    label_classes = None
    """How many classes labels number, or None where any numbers will do."""

    def __init__(
        self,
        discriminator,
        adversarial="vanilla",
        real_target=1.0,
        generated_target=0.0,
        gate=None,
        real_penalty_weight=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_logits(discriminator, "discriminator")
        require_signed_input(discriminator, "discriminator")
        if not (gate is None or 0 < gate <= 1):
            raise ValueError(f"`gate` must be in 0..1, or None. Received: {gate}")
        self.discriminator = discriminator
        self.adversarial = adversarial
        self.real_target = real_target
        self.generated_target = generated_target
        self.gate = gate
        self.real_penalty_weight = real_penalty_weight
        self.game = adversarial_loss(adversarial, real_target, generated_target)
        self.random = keras.random.SeedGenerator()
        if (self.game.gradient_penalty_weight or real_penalty_weight) and has_batch_norm(
            discriminator
        ):
            raise ValueError(
                "`discriminator` has batch normalisation, which mixes the examples of a batch: "
                "under a gradient penalty each has a gradient of its own. Build it with "
                "normalization=None or 'instance'."
            )

    @classmethod
    def _argument_names(cls):
        return [*super()._argument_names(), *SHARED]

    def fit(self, x=None, *args, **kwargs):
        """See `keras.Model.fit`.

        Raises:
            ValueError: When images were scaled before, which is done here, a batch lacks a part, or
                labels are no numbers of classes.
        """
        require_parts(self, x, args[0] if args else kwargs.get("y"))
        check_all_pixels(x)
        with faults_in_words():
            return super().fit(x, *args, **kwargs)

    @property
    def needs(self):
        """Names of what a batch holds."""
        raise NotImplementedError

    # The discriminator's step --------------------------------------------------------------

    def discriminator_step(self, real, generated):
        """Let the discriminator learn from one batch, unless the gate is shut.

        Args:
            real, generated: Lists of its inputs, as they are where they come from networks: no
                gradient leaves this step.

        Returns:
            `(loss, accuracy)`, scalars; the accuracy is that before the step.
        """
        generated = [tf.stop_gradient(inputs) for inputs in generated]
        images = [inputs for inputs in real if inputs.dtype.is_floating]  # classes have no slope
        with tf.GradientTape() as tape:
            with tf.GradientTape() as slope:
                slope.watch(images)
                real_logits = self.discriminator(real, training=True)
            generated_logits = self.discriminator(generated, training=True)
            loss = self.game.discriminator(real_logits, generated_logits)
            if self.real_penalty_weight:
                loss += self.real_penalty_weight * real_gradient_penalty(slope, real_logits, images)
            if self.game.gradient_penalty_weight:
                loss += self.game.gradient_penalty_weight * self.penalty(real, generated)
            total = loss + self.regularization("discriminator_optimizer")
        accuracy = right_answers(real_logits, generated_logits, self.game.boundary)
        if self.gate is None:
            self._discriminator_update(total, tape)
        else:
            # Its state must exist before the branch that may not be taken.
            with tf.init_scope():
                self.build_optimizers()
            self._gated_update(accuracy, total, tape)
        return loss, accuracy

    def _gated_update(self, accuracy, loss, tape):
        if replica_count() == 1:
            update = lambda: self._discriminator_update(loss, tape)  # noqa: E731
            tf.cond(accuracy < self.gate, update, tf.no_op)
            return
        # Replicas cannot sum gradients within a branch: the step is taken, and taken back.
        is_open = mean(accuracy) < self.gate
        moved = [*self.discriminator.trainable_variables, *self.discriminator_optimizer.variables]
        before = [tf.identity(variable) for variable in moved]
        self._discriminator_update(loss, tape)
        for variable, value in zip(moved, before, strict=True):
            variable.assign(tf.where(is_open, variable, value))

    def _discriminator_update(self, loss, tape):
        self.minimize(loss, tape, "discriminator_optimizer")
        return tf.no_op()

    def penalty(self, real, generated):
        """Return the penalty of WGAN-GP: on the line between generated and real.

        Of images alone, joined along their channels.
        """
        channels = [image.shape[-1] for image in real]
        shares = draw(keras.random.uniform, tf.shape(real[0])[0], (), self.random)
        return gradient_penalty(
            lambda joined: self.discriminator(tf.split(joined, channels, -1), training=True),
            tf.concat(real, -1),
            tf.concat(generated, -1),
            shares,
        )

    def adversarial_term(self, generated):
        """Return what the generator loses where the discriminator sees through it."""
        return self.game.generator(self.discriminator(generated, training=True))

    def noise(self, like, numbers, groups=1):
        """Return codes `(batch, numbers)` from the standard Gaussian, one for each of `like`.

        Args:
            like: Tensor `(batch, ...)`.
            numbers: In a code.
            groups: Of how many batches, one after the other, the rows of `like` are.
        """
        return draw(keras.random.normal, tf.shape(like)[0], (numbers,), self.random, groups)

    def in_random_order(self, first, second, groups=1):
        """Exchange the two of each pair or not, so that no order tells anything."""
        shape = [1] * (len(first.shape) - 1)
        shares = draw(keras.random.uniform, tf.shape(first)[0], shape, self.random, groups)
        kept = shares < 0.5
        return [tf.where(kept, first, second), tf.where(kept, second, first)]

    # Deployment ----------------------------------------------------------------------------

    def parts(self):
        """Return the networks that are deployed by themselves: functional models by name."""
        raise NotImplementedError


def call_frozen(network, inputs):
    """Return what a network makes of inputs, of which it learns nothing itself.

    Gradients reach `inputs` but no weight, and no moving statistics change: whoever made `inputs`
    must please the network as it is.
    """
    refuse_added_losses(network)  # this call forgets what the one before it added
    weights = [
        [tf.stop_gradient(weight) for weight in group]
        for group in (network.trainable_variables, network.non_trainable_variables)
    ]
    return network.stateless_call(*weights, inputs, training=True)[0]


def right_answers(real_logits, generated_logits, boundary=0.0):
    """Return the discriminator's share of right answers, real and generated counting half.

    Args:
        real_logits, generated_logits: Tensors.
        boundary: What real ones are above; None for the middle between the means of both.
    """
    if boundary is None:
        boundary = 0.5 * (tf.reduce_mean(real_logits) + tf.reduce_mean(generated_logits))
    of_real = tf.reduce_mean(tf.cast(real_logits > boundary, "float32"))
    return 0.5 * (of_real + tf.reduce_mean(tf.cast(generated_logits < boundary, "float32")))


def image_input(network, name):
    """Return an input of uint8 images, as large as a network takes them."""
    return keras.Input(network.inputs[0].shape[1:], dtype="uint8", name=name)


def signed_input(image):
    """Bring symbolic uint8 images into -1..1."""
    return from_pixels(image, f"signed_{image.name}")


def pixels(images, name="generated"):
    """Bring symbolic images in -1..1 into uint8, as an output of that name."""
    return ToPixels(name=name)(images)


def code_sizes(decoder):
    """Return the numbers in each of the two codes that a decoder takes.

    Raises:
        ValueError: When it does not take two codes.
    """
    shapes = [tensor.shape for tensor in decoder.inputs]
    if len(shapes) != 2 or any(len(shape) != 2 for shape in shapes):
        raise ValueError(
            "The network that makes images must take two codes (batch, numbers). Received: inputs "
            f"of shapes {shapes}. keras_dtl.backbones.latent_decoder builds one."
        )
    return tuple(shape[1] for shape in shapes)


def with_fixed_style(content, style, decoder, image):
    """Return a functional model from `image` to what `decoder` makes of its content."""
    codes = [content, FixedCode(np.ravel(style), name="style")(content)]
    return keras.Model(image, pixels(decoder(codes, training=False)), name="in_style")


def with_fixed_styles(content, styles, decoder, image):
    """Return a functional model from `image` to what `decoder` makes of its content in each style.

    Its output are uint8 images `(batch, styles, height, width, channels)`.
    """
    count, numbers = styles.shape
    constant = FixedCode(np.ravel(styles), name="styles")
    repeated = layers.RepeatVector(count)(content)  # (batch, styles, numbers of the content)
    codes = [(repeated, content.shape[-1]), (constant(content), numbers)]
    drawn = decoder([keras.ops.reshape(c, (-1, size)) for c, size in codes], training=False)
    drawn = keras.ops.reshape(drawn, (-1, count, *drawn.shape[1:]))
    return keras.Model(image, pixels(drawn, "views"), name="in_styles")
