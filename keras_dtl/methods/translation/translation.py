"""What the methods of image translation share: pixels, both players' steps, what is deployed."""

import keras
import tensorflow as tf

from keras_dtl.distribution import draw
from keras_dtl.layers import ToPixels, from_pixels
from keras_dtl.losses import adversarial_loss, gradient_penalty
from keras_dtl.methods.any_size import (
    copy_for,
    least_size,
    per_image,
    size_multiple,
    trained_size,
)
from keras_dtl.methods.given_batches import require_pairs
from keras_dtl.methods.inputs import check_all_pixels
from keras_dtl.methods.networks import has_batch_norm, require_logits
from keras_dtl.methods.scaling_method import ScalingMethod
from keras_dtl.methods.signed_images import (
    from_signed,
    require_signed_input,
    require_signed_output,
    to_signed,
)


class Translation(ScalingMethod):
    """A generator of images against a discriminator.

    Batches are pairs `(images of A, images of B)`, uint8 in 0..255. Networks take and give images
    in -1..1; `deployable()` takes and gives uint8 of any height and width.

    Args:
        adversarial: The game: `"vanilla"`, `"least_squares"`, `"hinge"` or `"wgan_gp"`.
    """

    task = "image_to_image"
    player_optimizers = ("discriminator_optimizer",)
    own_losses = True

    def __init__(self, adversarial, **kwargs):
        super().__init__(**kwargs)
        self.adversarial = adversarial
        self.game = adversarial_loss(adversarial)
        self.random = keras.random.SeedGenerator()

    @property
    def deployed(self):
        """The generator that `call`, `deployable` and export mean.

        Its name is that of the weights in saved models, as Keras finds them by attribute.
        """
        raise NotImplementedError

    def a_to_b(self):
        """Return the generator from A to B: no property, by which Keras would name its weights."""
        return self.deployed

    @property
    def size_multiple(self):
        """What heights and widths must be multiples of."""
        return size_multiple(self.deployed)

    @property
    def least_size(self):
        """What heights and widths must reach."""
        return least_size(self.deployed)

    def fit(self, x=None, y=None, *args, **kwargs):
        """See `keras.Model.fit`.

        Raises:
            ValueError: When images were scaled before, which is done here, or are no pairs.
        """
        require_pairs(self, x, y)
        check_all_pixels(x, y)
        return super().fit(x, y, *args, **kwargs)

    def call(self, images, training=False):
        return self.deployed(to_signed(images), training=training)

    def deployable(self):
        return deployable_generator(self.deployed, self.name)

    @property
    def trained_size(self):
        """The `(height, width)` that `predict` alone takes, or `None` where it takes any."""
        return trained_size(self.deployed)

    def answers(self, predictions, inputs):
        # Batch normalisation is deployed with each image's own statistics, see `per_image`.
        return None if has_batch_norm(self.deployed) else from_signed(predictions)

    def judgement(self, discriminator, real, generated):
        """Return the logits of real and of generated images.

        In one pass, where no batch normalisation would mix the two.
        """
        if has_batch_norm(discriminator):
            return discriminator(real, training=True), discriminator(generated, training=True)
        logits = discriminator(tf.concat([real, generated], 0), training=True)
        count = tf.shape(real)[0]
        return logits[:count], logits[count:]

    def discriminator_loss(self, discriminator, real, generated):
        """Return the loss of one discriminator, with the penalty where the game has one."""
        loss = self.game.discriminator(*self.judgement(discriminator, real, generated))
        if self.game.gradient_penalty_weight:
            shares = draw(keras.random.uniform, tf.shape(real)[0], (), self.random)
            judge = lambda images: discriminator(images, training=True)  # noqa: E731
            penalty = gradient_penalty(judge, real, generated, shares)
            loss += self.game.gradient_penalty_weight * penalty
        return loss

    def generator_loss(self, discriminator, generated):
        """Return what the generator loses where the discriminator sees through it."""
        return self.game.generator(discriminator(generated, training=True))

    def check_generator(self, generator, name):
        """Refuse a generator that does not lead from images in -1..1 to such.

        Raises:
            ValueError: When it scales images itself, or ends in a sigmoid or a ReLU.
        """
        require_signed_input(generator, name)
        require_signed_output(generator, name)

    def check_discriminator(self, discriminator, name):
        """Refuse a discriminator that the chosen game cannot use.

        Raises:
            ValueError: When it ends in a sigmoid, scales images itself, or mixes examples under a
                gradient penalty.
        """
        require_logits(discriminator, name)
        require_signed_input(discriminator, name)
        if self.game.gradient_penalty_weight and has_batch_norm(discriminator):
            raise ValueError(
                f"`{name}` has batch normalisation, which mixes the examples of a batch: under "
                f"{self.adversarial!r} each has a gradient of its own. Build it with "
                "normalization=None or 'instance'."
            )


def deployable_generator(generator, name):
    """Return a generator as it is deployed: uint8 images in and out, of any height and width.

    It shares the generator's weights. Dropout rests, and batch normalisation takes the
    statistics of each image alone: a batch of many images gives what each gives by itself. That
    is also what training computed, at the paper's batch size of 1.
    """
    image = keras.Input((None, None, generator.input_shape[-1]), dtype="uint8", name="image")
    signed = from_pixels(image, "signed")
    generated = copy_for(generator, replace=per_image)(signed, training=False)
    return keras.Model(image, ToPixels(name="translated")(generated), name=name)
