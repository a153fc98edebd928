import keras
import tensorflow as tf

from keras_dtl.distribution import draw
from keras_dtl.layers import ClassMixture
from keras_dtl.losses import game_without_penalty, velocity_error
from keras_dtl.methods.base import Method
from keras_dtl.methods.given_batches import as_batch, require_labels
from keras_dtl.methods.given_labels import faults_in_words
from keras_dtl.methods.motion.measured_motion import MeasuredMotion
from keras_dtl.methods.networks import in_float32, require_logits


@keras.saving.register_keras_serializable("keras_dtl")
class SequentialAdversarialAutoencoder(MeasuredMotion, Method):
    """An autoencoder of motion whose codes a critic cannot tell from a normal distribution.

    Encoder and decoder minimise

        mean (Dec(Enc(x)) - x)^2 + velocity_weight * mean (steps of Dec(Enc(x)) - steps of x)^2
        + adversarial_weight * L_adversarial(critic(Enc(x)))

    then the critic learns draws of N(0, I) as real and codes as generated. New motion is decoded
    from such draws: as long as one likes by a recurrent decoder, as long as in training by an
    implicit one, which is more exact. After `model.prior.adapt(codes, labels)` draws are of the
    mixtures that were fitted to the codes: a critic brings codes of many numbers near to a normal
    distribution, not to it. With `num_classes` the decoder is told a label, and so is
    the critic: codes are normal within each label, and hold nothing of it.

    Batches are `motion`, or `(motion, labels)` where `num_classes` is given.

    Logs: `reconstruction_loss`, `velocity_loss`, `adversarial_loss`, `critic_loss`.

    Reference: Wang & Artieres, "Motion Capture Synthesis with Adversarial Learning", IVA 2017.

    Differs from the paper: there no critic sees a label, but a classifier whose entropy the
    encoder raises takes it out of the code. Networks may be implicit, see
    `keras_dtl.backbones.implicit_decoder`.

    Args:
        encoder: Motion `(time, features)` to a code.
        decoder: Codes repeated along time `(time, code + num_classes)` to motion; the time may be
            fixed, as of both networks of `keras_dtl.backbones.implicit_decoder`.
        critic: Code, and `num_classes` more numbers, to one logit.
        mean, deviation: Of each feature in training; networks see motion so normalised.
        num_classes: Of the labels; 0 for none.
        velocity_weight, adversarial_weight: 0 or more; the authors take 100 and 0.001.
        adversarial: The game: `"vanilla"`, as in the paper, `"least_squares"` or `"hinge"`.
    """

    task = "motion_autoencoder"
    tracked = ("reconstruction_loss", "velocity_loss", "adversarial_loss", "critic_loss")
    player_optimizers = ("critic_optimizer",)
    learning = ("encoder", "decoder", "critic")
    own_losses = True

    def __init__(
        self,
        encoder,
        decoder,
        critic,
        mean,
        deviation,
        num_classes=0,
        velocity_weight=10.0,
        adversarial_weight=0.01,
        adversarial="vanilla",
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_logits(critic, "critic")
        expected = encoder.output_shape[-1] + num_classes
        if {decoder.input_shape[-1], critic.input_shape[-1]} != {expected}:
            raise ValueError(
                "`decoder` and `critic` take the code and `num_classes` more. Received: "
                f"{decoder.input_shape[-1]} and {critic.input_shape[-1]} (expected {expected})"
            )
        features = {"encoder": encoder.input_shape[-1], "decoder": decoder.output_shape[-1]}
        self.keep_statistics(mean, deviation, **features)
        self.encoder = encoder
        self.decoder = decoder
        self.critic = critic
        self.num_classes = num_classes
        self.velocity_weight = velocity_weight
        self.adversarial_weight = adversarial_weight
        self.adversarial = adversarial
        self.game = game_without_penalty(adversarial)
        self.random = keras.random.SeedGenerator()
        self.prior = ClassMixture(num_classes, name="prior", dtype="float32")
        self.prior.build((None, 1 + expected))

    def call(self, inputs, training=False):
        motion, labels = self.unpack(inputs)
        motion = self.normalize(motion)
        codes = in_float32(self.encoder(motion, training=training))
        return self.measure(self.decode(codes, tf.shape(motion)[1], labels, training))

    def unpack(self, inputs):
        return inputs if self.num_classes else (inputs, None)

    def fit(self, x=None, y=None, *args, **kwargs):
        """See `keras.Model.fit`.

        Raises:
            ValueError: When labels are missing or are no numbers of classes, or there are some and
                no `num_classes`.
        """
        require_labels(self, x, y)
        with faults_in_words():
            return super().fit(x, y, *args, **kwargs)

    def decode(self, codes, length, labels=None, training=False):
        """Return the normalised motion of codes.

        Args:
            codes: Tensor `(batch, numbers)`.
            length: Of the motion, in frames.
            labels: Integers `(batch,)` where there are classes.
            training: Whether the decoder learns.
        """
        return self._decode_told(self.join_labels(codes, labels), length, training)

    def _decode_told(self, told, length, training=False):
        repeated = tf.repeat(told[:, None], length, 1)
        return in_float32(self.decoder(repeated, training=training))

    def join_labels(self, codes, labels):
        """Return codes with their labels beside them, where there are any."""
        if not self.num_classes:
            return codes
        if labels is None:
            raise ValueError(f"Labels in 0..{self.num_classes - 1} are needed. Received: None")
        labels = tf.cast(labels, "int32")
        unknown = f"Labels must lie in 0..{self.num_classes - 1}."
        # As unsigned numbers those below 0 are the largest.
        classes = tf.constant(self.num_classes, "uint32")
        known = tf.debugging.assert_less(tf.bitcast(labels, "uint32"), classes, unknown)
        with tf.control_dependencies([] if known is None else [known]):
            told = tf.one_hot(labels, self.num_classes)
        return tf.concat([codes, told], 1)

    def sample(self, count, length, labels=None):
        """Return new motion as it is measured, float32 `(count, length, features)`.

        Args:
            count: How many motions.
            length: Of each, in frames: any where the decoder takes any.
            labels: Integers `(count,)` in 0..`num_classes - 1` where there are classes.

        Raises:
            ValueError: When the decoder makes motion of another length.
        """
        made = self.decoder.input_shape[1]
        if made not in (None, length):
            raise ValueError(
                f"This decoder makes motion of {made} frames. Received: length {length}. Cut what "
                "is longer, or take a recurrent decoder (--kind recurrent), which goes on."
            )
        noise = keras.random.normal((count, 1 + self.encoder.output_shape[-1]), seed=self.random)
        told = self.prior(self.join_labels(noise, labels))
        return self.measure(self._decode_told(told, length))

    def optimized_variables(self):
        return {
            "optimizer": self.encoder.trainable_variables + self.decoder.trainable_variables,
            "critic_optimizer": self.critic.trainable_variables,
        }

    def train_step(self, batch):
        # 1. Encode and decode. 2. One step of both. 3. One step of the critic, on draws and codes.
        motion, labels = self.unpack(as_batch(batch))
        motion = self.normalize(motion)
        with tf.GradientTape() as tape:
            codes = in_float32(self.encoder(motion, training=True))
            rebuilt = self.decode(codes, tf.shape(motion)[1], labels, training=True)
            reconstruction_loss = tf.reduce_mean(tf.square(rebuilt - motion))
            velocity_loss = velocity_error(rebuilt, motion)
            judged = self.critic(self.join_labels(codes, labels), training=True)
            adversarial_loss = self.game.generator(judged)
            loss = reconstruction_loss + self.velocity_weight * velocity_loss
            loss += self.adversarial_weight * adversarial_loss + self.regularization()
        self.minimize(loss, tape)
        draws = draw(keras.random.normal, tf.shape(codes)[0], codes.shape[1:], self.random)
        with tf.GradientTape() as tape:
            critic_loss = self.game.discriminator(
                self.critic(self.join_labels(draws, labels), training=True),
                self.critic(self.join_labels(tf.stop_gradient(codes), labels), training=True),
            )
            total = critic_loss + self.regularization("critic_optimizer")
        self.minimize(total, tape, "critic_optimizer")
        return self.report(
            tf.shape(motion)[0],
            loss=loss,
            reconstruction_loss=reconstruction_loss,
            velocity_loss=velocity_loss,
            adversarial_loss=adversarial_loss,
            critic_loss=critic_loss,
        )

    # Deployment ----------------------------------------------------------------------------

    def parts(self):
        """Return all that can be exported, by name."""
        return {part: self.deployable(part) for part in ("generator", "encoder", "decoder")}

    def deployable(self, part="generator"):
        """Return what is exported.

        Args:
            part: `"generator"` (draws of N(0, I), one number more than a code has, and the label as
                one-hot numbers, repeated along time, to motion), `"encoder"` (motion to code) or
                `"decoder"` (codes and label likewise to motion).
        """
        if part == "encoder":
            motion = keras.Input(self.encoder.input_shape[1:], name="motion")
            code = self.encoder(self.normalization_layer()(motion), training=False)
            return keras.Model(motion, {"code": code}, name=self.name)
        if part not in ("generator", "decoder"):
            raise ValueError(f"`part` must be generator, encoder or decoder. Received: {part!r}")
        length, numbers = self.decoder.input_shape[1:]
        if part == "decoder":
            inputs = told = keras.Input((length, numbers), name="codes")
        else:
            inputs = keras.Input((length, 1 + numbers), name="noise")
            told = self.prior(inputs)
        motion = self.measuring_layer("motion")(self.decoder(told, training=False))
        return keras.Model(inputs, motion, name=self.name)
