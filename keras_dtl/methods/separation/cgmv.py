import keras
import tensorflow as tf

from keras_dtl.distribution import draw, roll
from keras_dtl.losses import moment_discrepancy, paired_contrast
from keras_dtl.methods.given_batches import as_batch
from keras_dtl.methods.networks import in_float32
from keras_dtl.methods.separation.gmv import MultiView
from keras_dtl.methods.separation.separation import (
    call_frozen,
    image_input,
    pixels,
    signed_input,
    with_fixed_style,
    with_fixed_styles,
)
from keras_dtl.methods.signed_images import from_signed, require_signed_input, to_signed


@keras.saving.register_keras_serializable("keras_dtl")
class CGMV(MultiView):
    """Conditional generative multi-view model: new views of a given image.

    An encoder reads the content of an image, and the generator draws it in views from the
    standard Gaussian. The discriminator tells real pairs from three kinds of generated ones: the
    image and a new view, two new views, and a new view and the image.

    Reference: Chen, Denoyer & Artieres, "Multi-View Data Generation Without View Supervision",
    ICLR 2018.

    Differs from the authors' code: the kind is drawn for each pair, not for each step; real pairs
    never hold one image twice.

    Extension, not in the paper: a `view_encoder` V, so that the view of an image can be copied. For
    a real pair `x1, x2`, with `c = E(x1)`, and `v2 = V(x2)` read through noise of deviation
    `view_noise`,

        view_weight * |V(G(c, v)) - v|^2                     keeps the generator from ignoring views
        + reconstruction_weight * |G(c, v2) - x2|
        + moment_weight * moment discrepancy of v2           spreads views as they are drawn
        + contrast_weight * (contrast of c and E(x2), and of E(G(c, v)) and E(x2))

    Rebuilding alone would let the view tell all and the content nothing. Against that, noise leaves
    little room in a view; contents must tell objects apart, of generated images too, see
    `keras_dtl.losses.paired_contrast`; and `copied_share` of the second new views are not drawn but
    read from an image of another pair: what they told of its object, the discriminator would see
    beside an image of this one.

    Batches are `{"first", "second"}`, two images of one object each, and with the extension
    `"label"`, integers that name the object.

    Under `tf.distribute` the extension's moments and contrasts are those within each replica's
    part of the batch; without it replicas learn what one does.

    Args:
        encoder: Network from images in -1..1 to content codes.
        generator: Network from `[content, view]` to images in -1..1.
        discriminator: Network from `[image, image]` to logits.
        view_encoder: Network from images to view codes, or None as published.
        view_weight, reconstruction_weight, moment_weight, contrast_weight: Of the extension.
        view_noise: Deviation of the noise on views that are read, in 0..1.
        copied_share: Share of second views that are read from other images, in 0..1.
        **kwargs: Of `Separation`: the game, and how the discriminator is restrained.

    Call arguments:
        inputs: `[images, view]`: uint8 images and codes.
    """

    task = "image_generation"
    tracked = (
        "adversarial",
        "discriminator_loss",
        "discriminator_accuracy",
        "view_error",
        "reconstruction",
        "view_moments",
        "contrast",
    )
    taught = ("encoder", "generator", "view_encoder")

    def __init__(
        self,
        encoder,
        generator,
        discriminator,
        view_encoder=None,
        view_weight=1.0,
        reconstruction_weight=10.0,
        moment_weight=0.1,
        contrast_weight=1.0,
        view_noise=0.5,
        copied_share=0.5,
        **kwargs,
    ):
        super().__init__(generator, discriminator, **kwargs)
        self.encoder = encoder
        self.view_encoder = view_encoder
        self.view_weight = view_weight
        self.reconstruction_weight = reconstruction_weight
        self.moment_weight = moment_weight
        self.contrast_weight = contrast_weight
        self.view_noise = view_noise
        self.copied_share = copied_share
        if not (0 <= copied_share <= 1 and 0 <= view_noise <= 1):
            raise ValueError(
                "`copied_share` and `view_noise` must be in 0..1. Received: "
                f"{copied_share} and {view_noise}"
            )
        if view_encoder is None:
            self.leave_out("view_error", "reconstruction", "view_moments", "contrast")
        self._check_sizes()

    def _check_sizes(self):
        wanted = {"encoder": self.content_numbers}
        if self.view_encoder is not None:
            wanted["view_encoder"] = self.view_numbers
        for name, numbers in wanted.items():
            require_signed_input(getattr(self, name), name)
            shape = getattr(self, name).output_shape
            if tuple(shape) != (None, numbers):
                raise ValueError(
                    f"`{name}` must give codes of {numbers} numbers, as `generator` takes. "
                    f"Received: an output of shape {shape}"
                )

    @property
    def needs(self):
        return ("first", "second") if self.view_encoder is None else ("first", "second", "label")

    def call(self, inputs, training=False):
        images, view = inputs
        content = self.encoder(to_signed(images), training=training)
        return self.generator([content, view], training=training)

    def train_step(self, data):
        # 1. Encoder and generator: two new views of each image, in pairs that shall pass for real;
        #    with a view encoder, some views are copied, all are read back, the second image is
        #    rebuilt, and contents tell objects apart.
        # 2. The discriminator learns from them and from real pairs.
        data = as_batch(data)
        first, second = to_signed(data["first"]), to_signed(data["second"])
        with tf.GradientTape() as tape:
            content, views = in_float32(self.encoder(first, training=True)), self.drawn_views(first)
            if self.view_encoder is not None:
                own = self.read_views(second)
                views = self.copy_some(views, own)
            images = self.two_views(content, views)
            generated = self.mixed_pairs(first, images)
            terms = {"adversarial": self.adversarial_term(generated)}
            if self.view_encoder is not None:
                terms |= self.extension(content, second, own, images, views)
                terms["contrast"] = self.contrast(content, second, images[0], data["label"])
            loss = self.total(terms) + self.regularization()
        self.minimize(loss, tape)
        judged, accuracy = self.discriminator_step(self.in_random_order(first, second), generated)
        terms |= {"loss": loss, "discriminator_loss": judged, "discriminator_accuracy": accuracy}
        return self.report(tf.shape(first)[0], **terms)

    def total(self, terms):
        """Return the weighted sum of the terms that encoders and generator minimise."""
        weights = {
            "adversarial": 1.0,
            "view_error": self.view_weight,
            "reconstruction": self.reconstruction_weight,
            "view_moments": self.moment_weight,
            "contrast": self.contrast_weight,
        }
        return sum(weights[name] * term for name, term in terms.items())

    def read_views(self, images):
        """Return the views of images, read through noise."""
        views = in_float32(self.view_encoder(images, training=True))
        return views + self.view_noise * self.noise(views, self.view_numbers)

    def copy_some(self, views, own):
        """Return two views of each image, the second in part that of an image of the next pair."""
        shares = draw(keras.random.uniform, tf.shape(own)[0], (1,), self.random)
        return [views[0], tf.where(shares < self.copied_share, roll(own, 1), views[1])]

    def mixed_pairs(self, image, views):
        """Return pairs of which a third each has the image first, second, or not at all."""
        kind = draw(keras.random.uniform, tf.shape(image)[0], (1, 1, 1), self.random)
        first = tf.where(kind < 1 / 3, image, views[0])
        second = tf.where(kind > 2 / 3, image, views[1])
        return [first, second]

    def extension(self, content, second, own, images, views):
        """Return the terms of the view encoder.

        Args:
            content: Of the first images.
            second: The second images, and `own`, their views.
            images, views: Two new images of each content, and the views they are in.
        """
        read = in_float32(self.view_encoder(tf.concat(images, 0), training=True))
        wanted = tf.stop_gradient(tf.concat(views, 0))
        rebuilt = in_float32(self.generator([content, own], training=True))
        return {
            "view_error": tf.reduce_mean(tf.square(read - wanted)),
            "reconstruction": tf.reduce_mean(tf.abs(rebuilt - second)),
            "view_moments": moment_discrepancy(own),
        }

    def contrast(self, content, second, image, labels):
        """Return how hard it is to tell objects apart by the content alone.

        Args:
            content: Of the first images.
            second: The second images, of the same objects.
            image: New views of the first ones. The encoder learns from real images alone: it would
                learn what the generator makes of an object, and be pleased by that.
            labels: Of the objects.
        """
        of_second = self.encoder(second, training=True)
        of_image = call_frozen(self.encoder, image)
        real = paired_contrast(content, of_second, labels)
        return real + paired_contrast(of_image, tf.stop_gradient(of_second), labels)

    # Deployment ----------------------------------------------------------------------------

    def parts(self):
        """Return encoders and generator as they are deployed, by name."""
        networks = {"encoder": (self.encoder, "content")}
        if self.view_encoder is not None:
            networks["view_encoder"] = (self.view_encoder, "view")
        parts = super().parts()
        for name, (network, output) in networks.items():
            image = image_input(network, "image")
            parts[name] = keras.Model(
                image, {output: network(signed_input(image), training=False)}, name=name
            )
        return parts

    def answers(self, predictions, inputs):
        return from_signed(predictions)

    def deployable(self):
        """Return the network from an image and a view code to the image in that view, uint8."""
        image = image_input(self.encoder, "image")
        view = keras.Input((self.view_numbers,), name="view")
        content = self.encoder(signed_input(image), training=False)
        generated = pixels(self.generator([content, view], training=False))
        return keras.Model([image, view], generated, name=self.name)

    def in_view(self, view):
        """Return a network that gives every image one view.

        Its one input is a batch of uint8 images, so it exports and converts folders.

        Args:
            view: Code `(numbers,)`, such as drawn from the standard Gaussian.
        """
        image = image_input(self.encoder, "image")
        content = self.encoder(signed_input(image), training=False)
        return with_fixed_style(content, view, self.generator, image)

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
        content = self.encoder(signed_input(image), training=False)
        return with_fixed_styles(content, views, self.generator, image)
