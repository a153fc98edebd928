import keras
import tensorflow as tf

from keras_dtl.losses import (
    class_discrepancy,
    confusion_loss,
    gaussian_divergence,
    paired_contrast,
)
from keras_dtl.methods.given_batches import as_batch
from keras_dtl.methods.networks import in_float32, require_logits
from keras_dtl.methods.separation.separation import (
    Separation,
    call_frozen,
    code_sizes,
    image_input,
    pixels,
    signed_input,
    with_fixed_style,
)
from keras_dtl.methods.signed_images import (
    from_signed,
    require_signed_input,
    require_signed_output,
    to_signed,
)

PRIOR = 6 / 10
"""Weight of the divergence for each number of an image, in the authors' published code."""


@keras.saving.register_keras_serializable("keras_dtl")
class SwapVAE(Separation):
    """Class and style of an image in two codes, which can be exchanged between images.

    An encoder gives the content `s`, which shall hold the class, and a Gaussian over the style
    `z`, which shall hold the rest. With `x1, x2` of one class, `x3` of any, and `D(z, s)` the
    decoder,

        loss = 1/2 sum_i |D(z_i, s_i) - x_i|^2 + |D(z1, s2) - x1|^2 + |D(z2, s1) - x2|^2
             + adversarial_weight * (game on D(z3, s2) and D(z2, s3))
             + divergence_weight * KL(z) / numbers of an image
             [+ discrepancy_weight * MMD(z of each class, prior)
              + confusion_weight * confusion + cycle_weight * reverse cycle
              + contrast_weight * contrast of contents]

    where `|.|^2` is the mean over numbers. The discriminator sees an image beside its class, or
    beside another image of it.

    The adversary alone teaches the decoder to ignore what `z` says of the class, not the encoder
    to leave it out: a probe still reads it. `mode="leak_free"` adds what does: the discrepancy
    between the styles of each class and the prior, see `keras_dtl.losses.class_discrepancy`; a
    classifier of `z` that the encoder confuses; and a reverse cycle, which asks that images drawn
    with one `z` and two contents be encoded to that style. The contrast, see
    `keras_dtl.losses.paired_contrast`, asks that contents tell classes apart: those of real images,
    and those that the encoder reads from `D(z3, s2)` and from `D(z, s3)` with `z` of the prior. So
    classes do not change where styles are exchanged or drawn.

    Under `tf.distribute` the discrepancy and the contrast of `leak_free` are those within each
    replica's part of the batch; `faithful` replicas learn what one does.

    Reference: Mathieu, Zhao, Sprechmann, Ramesh & LeCun, "Disentangling factors of variation in
    deep representations using adversarial training", NeurIPS 2016. Reverse cycle: Jha, Anand,
    Singh & Veeravasarapu, "Disentangling Factors of Variation with Cycle-Consistent Variational
    Auto-Encoders", ECCV 2018.

    Differs from the papers: `adversary="pair"` and everything that only `leak_free` has; the
    reverse cycle compares both styles with the one that was drawn, not with each other, which is
    least where all styles shrink to one point.

    Args:
        encoder: Network from images in -1..1 to `[content, style mean, style log variance]`.
        decoder: Network from `[content, style]` to images in -1..1.
        discriminator: Network from `[image, class]` or `[image, image]` to logits.
        latent_classifier: Network from the style to logits of classes; `leak_free` alone.
        adversary: `"class"` or `"pair"`: what the discriminator sees beside an image.
        mode: `"faithful"` or `"leak_free"`.
        adversarial_weight, divergence_weight, confusion_weight, cycle_weight,
        discrepancy_weight, contrast_weight: As above; the last four act in `leak_free` alone.
        classifier_steps: Steps of the classifier of styles for each of the encoder: what it does
            not see, the encoder need not leave out.
        **kwargs: Of `Separation`: how the discriminator is restrained.

    Call arguments:
        inputs: `[images whose content is kept, images whose style is taken]`, uint8.
    """

    task = "image_to_image"
    tracked = (
        "reconstruction",
        "swap",
        "divergence",
        "adversarial",
        "discriminator_loss",
        "discriminator_accuracy",
        "confusion",
        "discrepancy",
        "reverse_cycle",
        "contrast",
        "latent_accuracy",
    )
    learning = ("encoder", "decoder", "discriminator", "latent_classifier")

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        latent_classifier=None,
        adversary="pair",
        mode="faithful",
        adversarial_weight=0.01,
        divergence_weight=PRIOR,
        confusion_weight=0.1,
        cycle_weight=0.1,
        discrepancy_weight=5.0,
        contrast_weight=0.1,
        classifier_steps=1,
        **kwargs,
    ):
        super().__init__(discriminator, **kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.latent_classifier = latent_classifier
        self.adversary = adversary
        self.mode = mode
        self.adversarial_weight = adversarial_weight
        self.divergence_weight = divergence_weight
        self.confusion_weight = confusion_weight
        self.cycle_weight = cycle_weight
        self.discrepancy_weight = discrepancy_weight
        self.contrast_weight = contrast_weight
        self.classifier_steps = classifier_steps
        self._check()

    def _check(self):
        if self.adversary not in ("class", "pair") or self.mode not in ("faithful", "leak_free"):
            raise ValueError(
                "`adversary` must be 'class' or 'pair' and `mode` 'faithful' or 'leak_free'. "
                f"Received: {self.adversary!r} and {self.mode!r}"
            )
        if self.leak_free != (self.latent_classifier is not None):
            raise ValueError(
                "`latent_classifier` belongs to mode='leak_free', which needs it. Received: "
                f"{self.latent_classifier} with {self.mode!r}."
            )
        if self.adversary == "class" and self.game.gradient_penalty_weight:
            raise ValueError(
                "The penalty of 'wgan_gp' lies between two images, and adversary='class' shows the "
                "discriminator a class. Take adversary='pair', or another game."
            )
        if self.classifier_steps < 1:
            raise ValueError(
                f"`classifier_steps` must be 1 or more. Received: {self.classifier_steps}"
            )
        if self.leak_free:
            require_logits(self.latent_classifier, "latent_classifier")
        else:
            self.leave_out("confusion", "discrepancy", "reverse_cycle", "contrast")
            self.leave_out("latent_accuracy")
        require_signed_input(self.encoder, "encoder")
        require_signed_output(self.decoder, "decoder")
        sizes = [output.shape[-1] for output in self.encoder.outputs]
        content, style = code_sizes(self.decoder)
        if sizes != [content, style, style]:
            raise ValueError(
                "`encoder` must give [content, style mean, style log variance] in the sizes that "
                f"`decoder` takes, {[content, style, style]}. Received: {sizes}"
            )

    @property
    def leak_free(self):
        return self.mode == "leak_free"

    @property
    def label_classes(self):
        return self.latent_classifier.output_shape[-1] if self.leak_free else None

    @property
    def needs(self):
        return ("first", "second", "other", "label", "other_label")

    @property
    def player_optimizers(self):
        return ("discriminator_optimizer", *["classifier_optimizer"] * self.leak_free)

    def optimized_variables(self):
        variables = {
            "optimizer": self.encoder.trainable_variables + self.decoder.trainable_variables,
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }
        if self.leak_free:
            variables["classifier_optimizer"] = self.latent_classifier.trainable_variables
        return variables

    def call(self, inputs, training=False):
        content, style = (to_signed(images) for images in inputs)
        codes = [
            self.encoder(content, training=training)[0],
            self.encoder(style, training=training)[1],
        ]
        return self.decoder(codes, training=training)

    def train_step(self, data):
        # 1. Encoder and decoder: rebuild, exchange within a class, and across under the adversary.
        # 2. The discriminator learns from the exchanged images as they were made.
        # 3. The classifier of styles learns from the styles as they were drawn.
        data = as_batch(data)
        images = [to_signed(data[name]) for name in ("first", "second", "other")]
        labels = [data[name] for name in ("label", "label", "other_label")]
        with tf.GradientTape() as tape:
            contents, styles, divergence = self.codes(images)
            terms, crossed = self.exchange(images, contents, styles)
            generated = self.generated_inputs(crossed, images, labels)
            terms |= {"divergence": divergence, "adversarial": self.adversarial_term(generated)}
            if self.leak_free:
                terms |= self.leaks(contents, styles, labels, crossed[0])
            loss = self.total(terms, images[0]) + self.regularization()
        self.minimize(loss, tape)
        terms["loss"] = loss
        terms["discriminator_loss"], terms["discriminator_accuracy"] = self.discriminator_step(
            self.real_inputs(images, labels), generated
        )
        if self.leak_free:
            accuracies = [
                self.classifier_step(styles, labels) for _ in range(self.classifier_steps)
            ]
            terms["latent_accuracy"] = accuracies[0]
        return self.report(tf.shape(images[0])[0], **terms)

    def codes(self, images):
        """Return the contents and drawn styles of each batch, and the divergence of the styles."""
        read = self.encoder(tf.concat(images, 0), training=True)
        content, mean, log_variance = in_float32(read)
        style = mean + tf.exp(0.5 * log_variance) * self.noise(mean, mean.shape[-1], len(images))
        count = len(images)
        return (
            tf.split(content, count),
            tf.split(style, count),
            gaussian_divergence(mean, log_variance),
        )

    def exchange(self, images, contents, styles):
        """Return the squared errors, and images of style 3 and content 2, and the other way."""
        s1, s2, s3 = contents
        z1, z2, z3 = styles
        content = tf.concat([s1, s2, s3, s2, s1, s2, s3], 0)
        style = tf.concat([z1, z2, z3, z1, z2, z3, z2], 0)
        made = in_float32(self.decoder([content, style], training=True))
        *rebuilt, first, second, z3_s2, z2_s3 = tf.split(made, 7)
        errors = [_squared_error(a, b) for a, b in zip(rebuilt, images, strict=True)]
        swap = _squared_error(first, images[0]) + _squared_error(second, images[1])
        return {"reconstruction": tf.add_n(errors), "swap": swap}, [z3_s2, z2_s3]

    def generated_inputs(self, crossed, images, labels):
        """Return the discriminator's inputs: exchanged images beside their class or another."""
        if self.adversary == "class":
            return [tf.concat(crossed, 0), tf.concat(labels[1:], 0)]
        return self.in_random_order(tf.concat(images[1:], 0), tf.concat(crossed, 0), groups=2)

    def real_inputs(self, images, labels):
        """Return as many real ones."""
        first, second, other = images
        if self.adversary == "class":
            return [tf.concat([second, other], 0), tf.concat(labels[1:], 0)]
        return [tf.concat([first, second], 0), tf.concat([second, first], 0)]

    def leaks(self, contents, styles, labels, crossed):
        """Return the terms that keep the class out of the style and in the content.

        Args:
            contents, styles, labels: Of the three batches.
            crossed: Images of content 2 and another style.
        """
        style = self.noise(contents[0], styles[0].shape[-1])
        codes = [tf.concat([contents[0], contents[2]], 0), tf.concat([style, style], 0)]
        images = in_float32(self.decoder(codes, training=True))
        # The reverse cycle teaches the encoder alone: images are taken as they are.
        read = self.encoder(tf.stop_gradient(images), training=True)[1]
        styles, of_styles = tf.concat(styles, 0), tf.concat(labels, 0)
        return {
            "confusion": confusion_loss(self.latent_classifier(styles, training=True)),
            "discrepancy": class_discrepancy(styles, of_styles),
            "reverse_cycle": tf.reduce_mean(tf.abs(in_float32(read) - codes[1])),
            "contrast": self.contrast(contents, crossed, tf.split(images, 2)[1], labels),
        }

    def contrast(self, contents, crossed, drawn, labels):
        """Return how hard it is to tell classes apart by the content alone.

        Args:
            contents, labels: Of the three batches.
            crossed: Images of content 2 and another style.
            drawn: Images of content 3 and a style from the prior.
        """
        s1, s2, s3 = contents
        first, _, third = labels
        read = call_frozen(self.encoder, tf.concat([crossed, drawn], 0))[0]
        of_crossed, of_drawn = tf.split(read, 2)
        return (
            paired_contrast(s1, s2, first)
            + paired_contrast(of_crossed, tf.stop_gradient(s1), first)
            + paired_contrast(of_drawn, tf.stop_gradient(s3), third)
        )

    def total(self, terms, images):
        numbers = images.shape[1] * images.shape[2] * images.shape[3]
        loss = 0.5 * terms["reconstruction"] + terms["swap"]
        loss += self.adversarial_weight * terms["adversarial"]
        loss += self.divergence_weight / numbers * terms["divergence"]
        if self.leak_free:
            loss += self.confusion_weight * terms["confusion"]
            loss += self.cycle_weight * terms["reverse_cycle"]
            loss += self.discrepancy_weight * terms["discrepancy"]
            loss += self.contrast_weight * terms["contrast"]
        return loss

    def classifier_step(self, styles, labels):
        """Let the classifier of styles learn; return its accuracy before that."""
        styles, labels = tf.stop_gradient(tf.concat(styles, 0)), tf.concat(labels, 0)
        with tf.GradientTape() as tape:
            logits = in_float32(self.latent_classifier(styles, training=True))
            loss = tf.reduce_mean(
                keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            )
            loss += self.regularization("classifier_optimizer")
        self.minimize(loss, tape, "classifier_optimizer")
        right = tf.argmax(logits, 1, output_type="int32") == tf.cast(labels, "int32")
        return tf.reduce_mean(tf.cast(right, "float32"))

    # Deployment ----------------------------------------------------------------------------

    def parts(self):
        """Return encoder and decoder as they are deployed: uint8 images, codes in float32."""
        image = image_input(self.encoder, "image")
        content, mean, _ = self.encoder(signed_input(image), training=False)
        codes = [keras.Input(code.shape[1:], name=code.name) for code in self.decoder.inputs]
        named = {"content": content, "style": mean}
        return {
            "encoder": keras.Model(image, named, name="encoder"),
            "decoder": keras.Model(
                codes, pixels(self.decoder(codes, training=False)), name="decoder"
            ),
        }

    def deployable(self):
        """Return the exchange: the content of `image` in the style of `style_image`, uint8."""
        image = image_input(self.encoder, "image")
        style_image = image_input(self.encoder, "style_image")
        content = self.encoder(signed_input(image), training=False)[0]
        style = self.encoder(signed_input(style_image), training=False)[1]
        generated = pixels(self.decoder([content, style], training=False))
        return keras.Model([image, style_image], generated, name=self.name)

    def answers(self, predictions, inputs):
        return from_signed(predictions)

    def in_style_of(self, style_image):
        """Return a network that gives every image the style of one.

        Its one input is a batch of uint8 images, so it exports and converts folders.

        Args:
            style_image: uint8 array `(height, width, channels)`.
        """
        style = self.encoder(to_signed(style_image[None]), training=False)[1]
        image = image_input(self.encoder, "image")
        content = self.encoder(signed_input(image), training=False)[0]
        return with_fixed_style(content, style, self.decoder, image)


def _squared_error(first, second):
    return tf.reduce_mean(tf.square(first - second))
