import keras
import tensorflow as tf

from keras_dtl.distribution import roll
from keras_dtl.layers import FixedCode, MatchLength, PlantFeet
from keras_dtl.losses import (
    game_without_penalty,
    mean_entropy,
    real_gradient_penalty,
    velocity_error,
)
from keras_dtl.methods.base import Method
from keras_dtl.methods.given_batches import as_batch, require_styles
from keras_dtl.methods.given_labels import faults_in_words
from keras_dtl.methods.motion.measured_motion import MeasuredMotion, kept_legs
from keras_dtl.methods.networks import in_float32, require_logits


@keras.saving.register_keras_serializable("keras_dtl")
class SequenceStyleTransfer(MeasuredMotion, Method):
    """A content code and a style code of motion: the content of one clip in the style of another.

    Encoders and decoder minimise together, with `x'` the content of `x` in the style of another
    clip of the batch,

        reconstruction_weight * (|Dec(c(x), s(x)) - x| + velocity_weight * velocity error)
        + adversarial_weight * L_adversarial(critic(x'), as that style and as the action of x)
        + label_weight * (cross-entropy of the critic: x' has that style, and the action of x)
        + cycle_weight * |Dec(c(x'), s(x)) - x|
        + style_weight * cross-entropy(style classifier(s(x)))
        - entropy_weight * entropy(content classifier(c(x)))

    then the critic learns real from generated, under the penalty R1 on its slope, and style and
    action of real motion; and the content classifier tries to read the style off the content codes.

    Batches are `(motion, style, action)`: `(batch, time, features)` and two vectors of labels.
    `call` takes `(content motion, style motion)`.

    Logs: each term by its name without its weight, and `content_accuracy`, how often the style is
    read off the content code.

    Reference: Wang, Chen, Artieres & Denoyer, "Transferring style in motion capture sequences
    with adversarial learning", ESANN 2018.

    Differs from the paper: networks may be convolutional with adaptive instance normalisation
    (Aberman et al. 2020); the critic judges the motion and names style and action in place of
    separate networks; and the way back (cycle) is closed. Weights 0 take each away.

    Args:
        content_encoder: Motion to content codes `(time', numbers)`.
        style_encoder: Motion of any length to a style code.
        decoder: `[content codes, style code]` to motion of at least the length encoded.
        critic: Motion to `{"real", "style", "action"}` logits, `real` with a channel for each style
            and then for each action: what is judged is a clip of that style and of that action.
        content_classifier: Content codes to logits of the style.
        style_classifier: Style code to logits of the style.
        mean, deviation: Of each feature in training; networks see motion so normalised.
        adversarial: The game: `"hinge"`, `"least_squares"` or `"vanilla"`.
        real_penalty_weight: Weight of the penalty R1, see `keras_dtl.losses`; 0 for none.
        legs: `Skeleton.legs`, by which feet that are down are held in what is transferred, see
            `keras_dtl.layers.PlantFeet`; None leaves motion as it is decoded.
    """

    task = "motion_style"
    tracked = (
        "reconstruction_loss",
        "velocity_loss",
        "adversarial_loss",
        "label_loss",
        "cycle_loss",
        "style_loss",
        "content_entropy",
        "critic_loss",
        "content_accuracy",
    )
    player_optimizers = ("critic_optimizer",)
    learning = (
        *("content_encoder", "style_encoder", "decoder", "critic"),
        *("content_classifier", "style_classifier"),
    )
    own_losses = True

    def __init__(
        self,
        content_encoder,
        style_encoder,
        decoder,
        critic,
        content_classifier,
        style_classifier,
        mean,
        deviation,
        adversarial="hinge",
        reconstruction_weight=5.0,
        velocity_weight=5.0,
        adversarial_weight=1.0,
        label_weight=1.0,
        cycle_weight=2.0,
        style_weight=0.5,
        entropy_weight=1.0,
        real_penalty_weight=1.0,
        legs=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, network in (
            ("content_classifier", content_classifier),
            ("style_classifier", style_classifier),
        ):
            require_logits(network, name)
        self.content_encoder = content_encoder
        self.style_encoder = style_encoder
        self.decoder = decoder
        self.critic = critic
        self.content_classifier = content_classifier
        self.style_classifier = style_classifier
        self.adversarial = adversarial
        self.game = game_without_penalty(adversarial)
        self.reconstruction_weight = reconstruction_weight
        self.velocity_weight = velocity_weight
        self.adversarial_weight = adversarial_weight
        self.label_weight = label_weight
        self.cycle_weight = cycle_weight
        self.style_weight = style_weight
        self.entropy_weight = entropy_weight
        self.real_penalty_weight = real_penalty_weight
        features = {"content_encoder": content_encoder.input_shape[-1]}
        features["decoder"] = decoder.output_shape[-1]
        self.keep_statistics(mean, deviation, **features)
        self.legs = kept_legs(legs, len(self.mean))
        self.plant_feet = keras.layers.Identity() if legs is None else PlantFeet(self.legs)

    def fit(self, x=None, y=None, *args, **kwargs):
        """See `keras.Model.fit`.

        Raises:
            ValueError: When there are not two labels of each motion, or they are no numbers of
                styles and actions.
        """
        require_styles(self, x, y)
        with faults_in_words():
            return super().fit(x, y, *args, **kwargs)

    def call(self, inputs, training=False):
        content, style = (self.normalize(motion) for motion in inputs)
        codes = self.content_encoder(content, training=training)
        style = self.style_encoder(style, training=training)
        return self.plant_feet(self.measure(self.decode(codes, style, content, training)))

    def decode(self, codes, style, like, training):
        """Return the normalised motion of content codes and a style code.

        Args:
            codes: Tensor `(batch, time', numbers)`.
            style: Tensor `(batch, numbers)`.
            like: Tensor `(batch, time, features)`: the motion is as long.
            training: Whether the decoder learns.
        """
        made = in_float32(self.decoder([codes, style], training=training))
        return made[:, : tf.shape(like)[1]]

    def optimized_variables(self):
        coders = (self.content_encoder, self.style_encoder, self.decoder, self.style_classifier)
        judges = (self.critic, self.content_classifier)
        return {
            "optimizer": [v for network in coders for v in network.trainable_variables],
            "critic_optimizer": [v for network in judges for v in network.trainable_variables],
        }

    def train_step(self, batch):
        # 1. Each clip as itself, and with the style of its neighbour in the batch. 2. Back again.
        # 3. One step of encoders and decoder. 4. One step of the critic and of the classifier
        # that reads style off the content.
        motion, *labels = tf.nest.flatten(as_batch(batch))  # also of fit(motion, (style, action))
        if len(labels) != 2:  # of a generator, which tells nothing before
            received = f"{1 + len(labels)} part(s)"
            raise ValueError(f"A batch is (motion, style, action). Received: {received}.")
        style, action = (tf.cast(label, "int32") for label in labels)
        motion, other_style = self.normalize(motion), roll(style, 1)
        with tf.GradientTape() as tape:
            codes = in_float32(self.content_encoder(motion, training=True))
            own = in_float32(self.style_encoder(motion, training=True))
            rebuilt = self.decode(codes, own, motion, training=True)
            transferred = self.decode(codes, roll(own, 1), motion, training=True)
            read = self.content_encoder(transferred, training=True)
            back = self.decode(read, own, motion, training=True)
            judged = in_float32(self.critic(transferred, training=True))
            terms = {
                "reconstruction_loss": _distance(rebuilt, motion),
                "velocity_loss": velocity_error(rebuilt, motion),
                "adversarial_loss": self.game.generator(_realism(judged, other_style, action)),
                "label_loss": _crossentropy(other_style, judged["style"])
                + _crossentropy(action, judged["action"]),
                "cycle_loss": _distance(back, motion),
                "style_loss": _crossentropy(style, self.style_classifier(own, training=True)),
                "content_entropy": mean_entropy(self.content_classifier(codes, training=True)),
            }
            loss = self.total(terms) + self.regularization()
        self.minimize(loss, tape)
        with tf.GradientTape() as tape:
            terms["critic_loss"] = self.critic_loss(motion, transferred, style, action, other_style)
            logits = self.content_classifier(tf.stop_gradient(codes), training=True)
            judges_loss = terms["critic_loss"] + _crossentropy(style, logits)
            judges_loss += self.regularization("critic_optimizer")
        self.minimize(judges_loss, tape, "critic_optimizer")
        accuracy = tf.reduce_mean(tf.cast(tf.argmax(logits, 1, style.dtype) == style, "float32"))
        return self.report(tf.shape(motion)[0], loss=loss, content_accuracy=accuracy, **terms)

    def total(self, terms):
        """Return the weighted sum of the terms that encoders and decoder minimise."""
        of_rebuilt = terms["reconstruction_loss"] + self.velocity_weight * terms["velocity_loss"]
        return (
            self.reconstruction_weight * of_rebuilt
            + self.adversarial_weight * terms["adversarial_loss"]
            + self.label_weight * terms["label_loss"]
            + self.cycle_weight * terms["cycle_loss"]
            + self.style_weight * terms["style_loss"]
            - self.entropy_weight * terms["content_entropy"]
        )

    def critic_loss(self, motion, transferred, style, action, other_style):
        with tf.GradientTape() as slope:
            slope.watch(motion)
            real = in_float32(self.critic(motion, training=True))
            realism = _realism(real, style, action)
        generated = in_float32(self.critic(tf.stop_gradient(transferred), training=True))
        loss = self.game.discriminator(realism, _realism(generated, other_style, action))
        if self.real_penalty_weight:
            penalty = real_gradient_penalty(slope, realism, [motion])
            loss += self.real_penalty_weight * penalty
        # Labels are learnt from real motion alone.
        return loss + _crossentropy(style, real["style"]) + _crossentropy(action, real["action"])

    # Deployment ----------------------------------------------------------------------------

    def parts(self):
        """Return all that can be exported, by name."""
        return {part: self.deployable(part) for part in ("transfer", "encoder", "decoder")}

    def deployable(self, part="transfer"):
        """Return what is exported, from and to motion as it is measured, of any length.

        Args:
            part: `"transfer"` (content motion and style motion to motion), `"encoder"` (motion to
                content codes and style code) or `"decoder"` (codes to motion).
        """
        features = len(self.mean)
        content = keras.Input((None, features), name="content")
        if part == "decoder":
            inputs = [keras.Input(i.shape[1:], name=i.name) for i in self.decoder.inputs]
            motion = self.planted(self.decoder(inputs, training=False), "transferred")
            return keras.Model(inputs, motion, name=self.name)
        normalize = self.normalization_layer()
        seen = normalize(content)
        codes = self.content_encoder(seen, training=False)
        if part == "encoder":
            own = self.style_encoder(seen, training=False)
            named = {"content_codes": codes, "style_code": own}
            return keras.Model(content, named, name=self.name)
        if part != "transfer":
            raise ValueError(f"`part` must be transfer, encoder or decoder. Received: {part!r}")
        style = keras.Input((None, features), name="style")
        code = self.style_encoder(normalize(style), training=False)
        motion = self.decoder([codes, code], training=False)
        motion = MatchLength(name="cut")([motion, content])
        motion = self.planted(motion, "transferred")
        return keras.Model([content, style], motion, name=self.name)

    def answers(self, predictions, inputs):
        return predictions

    def in_style_of(self, style_motion):
        """Return a network that gives every motion the style of one: folders can be converted.

        Args:
            style_motion: float32 `(time, features)`, as it is measured.
        """
        style = self.style_encoder(self.normalize(style_motion[None]), training=False)
        motion = keras.Input((None, len(self.mean)), name="motion")
        codes = self.content_encoder(self.normalization_layer()(motion), training=False)
        fixed = FixedCode(style[0].numpy(), name="style")(codes)
        generated = self.decoder([codes, fixed], training=False)
        generated = MatchLength(name="cut")([generated, motion])
        return keras.Model(motion, self.planted(generated, "transferred"), name="in_style")


def _distance(motion, other):
    return tf.reduce_mean(tf.abs(motion - other))


def _realism(judged, style, action):
    """Return how real each example is as one of its style and its action, `(batch, time)`."""
    labels = ((style, judged["style"]), (action, judged["action"]))
    wanted = tf.concat([tf.one_hot(label, logits.shape[-1]) for label, logits in labels], 1)
    return tf.einsum("btk,bk->bt", judged["real"], wanted)


def _crossentropy(labels, logits):
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits  # it refuses unknown labels
    return tf.reduce_mean(entropy(labels, in_float32(logits)))
