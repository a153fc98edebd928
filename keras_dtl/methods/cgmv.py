import keras
import tensorflow as tf

from keras_dtl.methods.gmv import GMV
from keras_dtl.methods.separation import (
    image_input,
    pixels,
    signed,
    with_fixed_style,
    with_fixed_styles,
)
from keras_dtl.methods.translation import to_signed


@keras.saving.register_keras_serializable("keras_dtl")
class CGMV(GMV):
    """Conditional generative multi-view model: new views of a given image.

    An encoder reads the content of an image, and the generator draws it in views from the
    standard Gaussian. The discriminator tells real pairs from three kinds of generated ones: the
    image and a new view, two new views, and a new view and the image.

    Reference: Chen, Denoyer & Artieres, "Multi-View Data Generation Without View Supervision",
    ICLR 2018.

    Differs from the authors' code: the kind is drawn for each pair, not for each step; real pairs
    never hold one image twice.

    Extension, not in the paper: a `view_encoder`, so that the view of an image can be copied. It
    learns to read the views that images were drawn in, `view_weight * |V(G(c, v)) - v|^2`, which
    keeps the generator from ignoring them; and to rebuild the second image of a real pair from
    the content of the first, `reconstruction_weight * |G(E(x1), V(x2)) - x2|`. This alone would let
    the view tell all and the content nothing. So `copied_share` of the second new views are not
    drawn but read from an image of another pair: what they told of its object, the discriminator
    would see beside an image of this one.

    Args:
        encoder: Network from images in -1..1 to content codes.
        generator: Network from `[content, view]` to images in -1..1.
        discriminator: Network from `[image, image]` to logits.
        view_encoder: Network from images to view codes, or None as published.
        view_weight, reconstruction_weight: Weights of the extension's two terms.
        copied_share: Share of second views that are read from other images, in 0..1.
        **kwargs: Of `Separation`: the game, and how the discriminator is restrained.

    Call arguments:
        inputs: `[images, view]`: uint8 images and codes.
    """

    task = "image_generation"
    tracked = (*GMV.tracked, "view_error", "reconstruction")

    def __init__(
        self,
        encoder,
        generator,
        discriminator,
        view_encoder=None,
        view_weight=1.0,
        reconstruction_weight=1.0,
        copied_share=0.5,
        **kwargs,
    ):
        super().__init__(generator, discriminator, **kwargs)
        self.encoder = encoder
        self.view_encoder = view_encoder
        self.view_weight = view_weight
        self.reconstruction_weight = reconstruction_weight
        self.copied_share = copied_share
        if not 0 <= copied_share <= 1:
            raise ValueError(f"`copied_share` must be in 0..1. Received: {copied_share}")
        self._check_sizes()

    def _check_sizes(self):
        wanted = {"encoder": self.content_numbers}
        if self.view_encoder is not None:
            wanted["view_encoder"] = self.view_numbers
        for name, numbers in wanted.items():
            shape = getattr(self, name).output_shape
            if tuple(shape) != (None, numbers):
                raise ValueError(
                    f"`{name}` must give codes of {numbers} numbers, as `generator` takes. "
                    f"Received: an output of shape {shape}"
                )

    def optimized_variables(self):
        networks = (self.encoder, self.generator, self.view_encoder)
        return {
            "optimizer": [v for n in networks if n is not None for v in n.trainable_variables],
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }

    def call(self, inputs, training=False):
        images, view = inputs
        content = self.encoder(to_signed(images), training=training)
        return self.generator([content, view], training=training)

    def train_step(self, data):
        # 1. Encoder and generator: two new views of each image, in pairs that shall pass for real;
        #    with a view encoder, some views are copied, all are read back, and the second image is
        #    rebuilt.
        # 2. The discriminator learns from them and from real pairs.
        first, second = to_signed(data["first"]), to_signed(data["second"])
        with tf.GradientTape() as tape:
            content, views = self.encoder(first, training=True), self.drawn_views(first)
            if self.view_encoder is not None:
                own = self.view_encoder(second, training=True)
                views = self.some_copied(views, own)
            images = self.two_views(content, views)
            generated = self.mixed_pairs(first, images)
            terms = {"adversarial": self.adversarial_term(generated)}
            loss = terms["adversarial"]
            if self.view_encoder is not None:
                terms |= self.extension(content, second, own, images, views)
                loss += self.view_weight * terms["view_error"]
                loss += self.reconstruction_weight * terms["reconstruction"]
        self.minimize(loss, tape)
        judged, accuracy = self.discriminator_step(self.in_random_order(first, second), generated)
        return self.report(
            loss=loss, discriminator_loss=judged, discriminator_accuracy=accuracy, **terms
        )

    def some_copied(self, views, own):
        """Return two views of each image, the second in part that of an image of the next pair."""
        copied = keras.random.uniform((tf.shape(own)[0], 1), seed=self.random) < self.copied_share
        return [views[0], tf.where(copied, tf.roll(own, 1, 0), views[1])]

    def mixed_pairs(self, image, views):
        """Return pairs of which a third each has the image first, second, or not at all."""
        kind = keras.random.uniform((tf.shape(image)[0], 1, 1, 1), seed=self.random)
        first = tf.where(kind < 1 / 3, image, views[0])
        second = tf.where(kind > 2 / 3, image, views[1])
        return [first, second]

    def extension(self, content, second, own, images, views):
        """Return the two terms of the view encoder.

        Args:
            content: Of the first images.
            second: The second images, and `own`, their views.
            images, views: Two new images of each content, and the views they are in.
        """
        read = self.view_encoder(tf.concat(images, 0), training=True)
        wanted = tf.stop_gradient(tf.concat(views, 0))
        rebuilt = self.generator([content, own], training=True)
        return {
            "view_error": tf.reduce_mean(tf.square(read - wanted)),
            "reconstruction": tf.reduce_mean(tf.abs(rebuilt - second)),
        }

    # Deployment ----------------------------------------------------------------------------

    def parts(self):
        """Return encoders and generator as they are deployed, by name."""
        networks = {"encoder": (self.encoder, "content")}
        if self.view_encoder is not None:
            networks["view_encoder"] = (self.view_encoder, "view")
        parts = super().parts()
        for name, (network, output) in networks.items():
            image = image_input(network, "image")
            parts[name] = keras.Model(image, {output: network(signed(image))}, name=name)
        return parts

    def deployable(self):
        """Return the network from an image and a view code to the image in that view, uint8."""
        image = image_input(self.encoder, "image")
        view = keras.Input((self.view_numbers,), name="view")
        generated = pixels(self.generator([self.encoder(signed(image)), view]))
        return keras.Model([image, view], generated, name=self.name)

    def in_view(self, view):
        """Return a network that gives every image one view.

        Its one input is a batch of uint8 images, so it exports and converts folders.

        Args:
            view: Code `(numbers,)`, such as drawn from the standard Gaussian.
        """
        image = image_input(self.encoder, "image")
        return with_fixed_style(self.encoder(signed(image)), view, self.generator, image)

    def in_views(self, views):
        """Return a network that shows every image in several views.

        Its one input is a batch of uint8 images, so it exports and converts folders: to a folder
        of views for each image.

        Args:
            views: Codes `(views, numbers)`, two or more.
        """
        if len(views) < 2:
            raise ValueError(f"`in_views` takes two views or more. Received: {len(views)}")
        image = image_input(self.encoder, "image")
        return with_fixed_styles(self.encoder(signed(image)), views, self.generator, image)
