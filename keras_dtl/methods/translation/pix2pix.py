import keras
import tensorflow as tf

from keras_dtl.methods.given_batches import as_batch
from keras_dtl.methods.networks import in_float32
from keras_dtl.methods.signed_images import to_signed
from keras_dtl.methods.translation.translation import Translation

RECONSTRUCTIONS = {
    "l1": lambda difference: tf.reduce_mean(tf.abs(difference)),
    "l2": lambda difference: tf.reduce_mean(tf.square(difference)),
}


@keras.saving.register_keras_serializable("keras_dtl")
class Pix2Pix(Translation):
    """Translation learnt from pairs: near the known answer, and not to be told from real ones.

    The discriminator sees A beside B and says whether B is real; the generator minimises

        adversarial_weight * L_adversarial(D(A, G(A))) + reconstruction_weight * |B - G(A)|

    against the discriminator after its step. Differences are taken between images in -1..1 and
    averaged over all numbers.

    Logs: `adversarial_loss`, `reconstruction_loss` (both without their weights) and
    `discriminator_loss` (log 2 = 0.693 in the vanilla game when it is lost); those of a term that
    is switched off are left out.

    Reference: Isola, Zhu, Zhou & Efros, "Image-to-Image Translation with Conditional
    Adversarial Networks", CVPR 2017.

    Differs from the paper: dropout is noise in training alone; a deployed model gives one image
    for one image. The published figures are with `"l1"`; under `"l2"`, which the paper rejects
    as blurred, the same weight counts at most twice as much, and less near the answer.

    Args:
        generator: Network from images of A to images of B, both in -1..1.
        discriminator: Network from images to logits, a map or one number. It takes the channels
            of A and B together when `conditional`, else those of B.
        adversarial: `"vanilla"`, as in the paper, `"least_squares"`, `"hinge"` or `"wgan_gp"`.
        adversarial_weight: Number of 0 or more; at 0 the discriminator rests.
        reconstruction: `"l1"`, as in the paper, `"l2"`, or `None`.
        reconstruction_weight: Number of 0 or more.
        conditional: Whether the discriminator sees A beside B.

    Raises:
        ValueError: When nothing is left to learn from, or networks do not fit one another.

    Example:

    ```python
    import keras
    import keras_dtl

    generator = keras_dtl.backbones.unet((256, 256, 3))
    discriminator = keras_dtl.backbones.patch_discriminator((256, 256, 6))
    model = keras_dtl.Pix2Pix(generator, discriminator)
    model.compile(
        keras.optimizers.Adam(2e-4, 0.5),
        discriminator_optimizer=keras.optimizers.Adam(2e-4, 0.5),
    )
    ```
    """

    tracked = ("adversarial_loss", "reconstruction_loss", "discriminator_loss")
    learning = ("generator", "discriminator")

    def __init__(
        self,
        generator,
        discriminator,
        adversarial="vanilla",
        adversarial_weight=1.0,
        reconstruction="l1",
        reconstruction_weight=100.0,
        conditional=True,
        **kwargs,
    ):
        super().__init__(adversarial, **kwargs)
        if reconstruction not in (None, *RECONSTRUCTIONS):
            raise ValueError(
                f"`reconstruction` must be one of {sorted(RECONSTRUCTIONS)} or None. "
                f"Received: {reconstruction!r}"
            )
        if not adversarial_weight and not (reconstruction and reconstruction_weight):
            raise ValueError(
                "Nothing is left to learn from. Received: adversarial_weight="
                f"{adversarial_weight}, reconstruction={reconstruction!r}, "
                f"reconstruction_weight={reconstruction_weight}"
            )
        self.check_generator(generator, "generator")
        self.check_discriminator(discriminator, "discriminator")
        _check_channels(generator, discriminator, conditional)
        self.generator = generator
        self.discriminator = discriminator
        self.adversarial_weight = adversarial_weight
        self.reconstruction = reconstruction
        self.reconstruction_weight = reconstruction_weight
        self.conditional = conditional
        if not adversarial_weight:
            self.leave_out("adversarial_loss", "discriminator_loss")
        if reconstruction is None:
            self.leave_out("reconstruction_loss")

    @property
    def deployed(self):
        return self.generator

    def optimized_variables(self):
        return {
            "optimizer": self.generator.trainable_variables,
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }

    def train_step(self, batch):
        # 1. Generate. 2. Step of the discriminator, on the real and the generated pair.
        # 3. Step of the generator, against the discriminator as it now is.
        source, target = (to_signed(images) for images in as_batch(batch))
        terms = {}
        with tf.GradientTape() as tape:
            generated = in_float32(self.generator(source, training=True))
            loss = self.regularization()
            if self.adversarial_weight:
                with tape.stop_recording():
                    terms["discriminator_loss"] = self.discriminator_step(source, target, generated)
                seen = self.discriminator_input(source, generated)
                terms["adversarial_loss"] = self.generator_loss(self.discriminator, seen)
                loss += self.adversarial_weight * terms["adversarial_loss"]
            if self.reconstruction is not None:
                distance = RECONSTRUCTIONS[self.reconstruction]
                terms["reconstruction_loss"] = distance(target - generated)
                loss += self.reconstruction_weight * terms["reconstruction_loss"]
        self.minimize(loss, tape)
        return self.report(tf.shape(source)[0], loss=loss, **terms)

    def discriminator_step(self, source, target, generated):
        """Let the discriminator learn from one batch and return its loss."""
        with tf.GradientTape() as tape:
            loss = self.discriminator_loss(
                self.discriminator,
                self.discriminator_input(source, target),
                self.discriminator_input(source, generated),
            )
            total = loss + self.regularization("discriminator_optimizer")
        self.minimize(total, tape, "discriminator_optimizer")
        return loss

    def discriminator_input(self, source, images):
        """Return what the discriminator sees of images of B."""
        return tf.concat([source, images], -1) if self.conditional else images


def _check_channels(generator, discriminator, conditional):
    of_a, of_b = generator.input_shape[-1], generator.output_shape[-1]
    expected = of_a + of_b if conditional else of_b
    received = discriminator.input_shape[-1]
    if received != expected:
        kind = "A and B" if conditional else "B"
        raise ValueError(
            f"The discriminator must take the {expected} channels of {kind} (conditional="
            f"{conditional}). Received: a discriminator of {received} channels."
        )
