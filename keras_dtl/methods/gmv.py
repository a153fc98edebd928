import keras
import tensorflow as tf

from keras_dtl.losses import paired_contrast
from keras_dtl.methods.separation import Separation, as_it_is, code_sizes, pixels
from keras_dtl.methods.translation import to_signed


class MultiView(Separation):
    """What generative multi-view models share: one generator from a content and a view.

    Args:
        generator: Network from `[content, view]` to images in -1..1.
        discriminator: Network from `[image, image]` to logits.
        **kwargs: Of `Separation`: the game, and how the discriminator is restrained.
    """

    taught = ("generator",)
    """Networks that learn against the discriminator, by attribute name; some may be None."""

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(discriminator, **kwargs)
        self.generator = generator
        self.content_numbers, self.view_numbers = code_sizes(generator)

    def optimized_variables(self):
        networks = [getattr(self, name) for name in self.taught]
        return {
            "optimizer": [v for n in networks if n is not None for v in n.trainable_variables],
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }

    def seen(self, examples):
        """Return examples of the data as networks see them."""
        return to_signed(examples)

    def shown(self, generated):
        """Return what the generator makes, symbolic, as it is deployed."""
        return pixels(generated)

    def drawn_views(self, like):
        """Return two views for each example of a tensor, from the standard Gaussian."""
        return [self.noise(like, self.view_numbers) for _ in range(2)]

    def two_views(self, content, views):
        """Return an image of each content in each of two views."""
        codes = [tf.concat([content, content], 0), tf.concat(views, 0)]
        return tf.split(self.generator(codes, training=True), 2)

    # Deployment ----------------------------------------------------------------------------

    def parts(self):
        """Return the generator as it is deployed: codes to uint8 images."""
        codes = [keras.Input((n,), name=k) for n, k in self._codes()]
        generated = self.shown(self.generator(codes))
        return {"generator": keras.Model(codes, generated, name="generator")}

    def _codes(self):
        return (self.content_numbers, "content"), (self.view_numbers, "view")


@keras.saving.register_keras_serializable("keras_dtl")
class GMV(MultiView):
    """Generative multi-view model: pairs of images of one thing in two views.

    One generator makes two images of a content `c` with different views `v1` and `v2`, all drawn
    from the standard Gaussian. The discriminator tells pairs of real images of one object from
    pairs `(G(c, v1), G(c, v2))`: to deceive it, `c` alone must say what both images share. No
    label of a view is used.

    Reference: Chen, Denoyer & Artieres, "Multi-View Data Generation Without View Supervision",
    ICLR 2018.

    Differs from the authors' code: real pairs never hold one image twice, and both pairs come in
    random order.

    Extension, not in the paper: an `encoder` E that learns from real pairs to tell objects apart,
    see `keras_dtl.losses.paired_contrast`, and judges the generator,

        agreement_weight * (1 - cosine of E(G(c, v1)) and E(G(c, v2)))

    since the discriminator, busy with what is real, is slow to ask whether both are one object.

    Batches are `{"first", "second"}`, two images of one object each, and with the extension
    `"label"`, integers that name the object.

    Args:
        generator: Network from `[content, view]` to images in -1..1.
        discriminator: Network from `[image, image]` to logits.
        encoder: Network from images to codes of any size, or None as published.
        agreement_weight: Of the extension.
        **kwargs: Of `Separation`: the game, and how the discriminator is restrained.

    Call arguments:
        inputs: `[content, view]`, float arrays.
    """

    task = "image_generation"
    tracked = (
        "adversarial",
        "contrast",
        "disagreement",
        "discriminator_loss",
        "discriminator_accuracy",
    )

    taught = ("generator", "encoder")

    def __init__(self, generator, discriminator, encoder=None, agreement_weight=1.0, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.encoder = encoder
        self.agreement_weight = agreement_weight

    @classmethod
    def _argument_names(cls):
        return [*super()._argument_names(), "encoder", "agreement_weight"]

    def call(self, inputs, training=False):
        return self.generator(inputs, training=training)

    def train_step(self, data):
        # 1. The generator draws two views of one content that shall pass for a real pair; with an
        #    encoder, which learns from real pairs, both shall show it one object.
        # 2. The discriminator learns from them and from real pairs.
        pair = [self.seen(data["first"]), self.seen(data["second"])]
        with tf.GradientTape() as tape:
            content = self.noise(pair[0], self.content_numbers)
            generated = self.in_random_order(*self.two_views(content, self.drawn_views(content)))
            terms = {"adversarial": self.adversarial_term(generated)}
            loss = terms["adversarial"]
            if self.encoder is not None:
                terms["contrast"] = self.contrast(pair, data["label"])
                terms["disagreement"] = self.disagreement(generated)
                loss += terms["contrast"] + self.agreement_weight * terms["disagreement"]
        self.minimize(loss, tape)
        judged, accuracy = self.discriminator_step(self.in_random_order(*pair), generated)
        return self.report(
            loss=loss, discriminator_loss=judged, discriminator_accuracy=accuracy, **terms
        )

    def contrast(self, pair, labels):
        """Return how hard it is to tell objects apart by the codes of real pairs."""
        codes = self.encoder(tf.concat(pair, 0), training=True)
        return paired_contrast(*tf.split(codes, 2), labels)

    def disagreement(self, pair):
        """Return how far apart the codes of two generated views are: 1 less their cosine."""
        codes = tf.math.l2_normalize(as_it_is(self.encoder, tf.concat(pair, 0)), 1)
        first, second = tf.split(codes, 2)
        return tf.reduce_mean(1 - tf.reduce_sum(first * second, 1))

    # Deployment ----------------------------------------------------------------------------

    def deployable(self):
        return self.parts()["generator"]
