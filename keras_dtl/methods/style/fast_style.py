import functools

import keras
import numpy as np
import tensorflow as tf

from keras_dtl.distribution import draw
from keras_dtl.layers import FixedCode, ToPixels, from_pixels
from keras_dtl.losses import content_loss, style_loss, total_variation
from keras_dtl.methods.any_size import (
    copy_for,
    least_size,
    size_multiple,
    trained_size,
)
from keras_dtl.methods.given_batches import as_batch, require_photos
from keras_dtl.methods.inputs import check_all_pixels
from keras_dtl.methods.signed_images import (
    require_signed_input,
    require_signed_output,
    to_pixels,
    to_signed,
)
from keras_dtl.methods.style.images import check_image
from keras_dtl.methods.style.perceptual import Perceptual

CONTENT_LAYERS = ("conv3_3",)
STYLE_LAYERS = ("conv1_2", "conv2_2", "conv3_3", "conv4_3")


@keras.saving.register_keras_serializable("keras_dtl")
class FastStyle(Perceptual):
    """A network that gives any photo a style in one pass.

    What `StyleTransfer` minimises for one image, a generator learns to minimise for all:

        min over generator, mean over photos x, y = generator(x):
            content_weight * sum_l content_loss(F_l(y), F_l(x))
            + style_weight * sum_l w_l style_loss(G_l(y), G_l(style))
            + variation_weight * total_variation(y)

    Batches are photos alone, uint8 `(batch, height, width, 3)`. The styles are given to
    `learn_styles` beforehand, which keeps their Gram matrices as weights. With several of them
    every photo of a batch meets a random one, and the generator takes a second input; see
    `keras_dtl.backbones.transformer_net(num_styles=...)`.

    Reference: Johnson, Alahi & Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
    Super-Resolution", ECCV 2016; several styles after Dumoulin, Shlens & Kudlur, ICLR 2017.

    Differs from the paper: features are those of VGG19, in the layers of the same names, whose
    losses are relative to their targets unless told otherwise. By the paper's scale, conv1_2
    outweighs conv4_3 several hundred times, so that colours are learnt long before strokes.

    Args:
        generator: Network from images in -1..1 to images in about -1..1; what is beyond is cut
            off when it is deployed.
        features: See `StyleTransfer`. It must return all layers named here.
        content_layers, style_layers, content_weight, style_weight, variation_weight, loss_scale:
            See `StyleTransfer`.
        num_styles: How many styles the generator knows.

    Example:

    ```python
    import keras
    import numpy as np
    import keras_dtl

    layers = ("conv1_2", "conv2_2", "conv3_3", "conv4_3")
    # weights=None for a quick look; leave it out to describe with VGG19 as trained
    features = keras_dtl.backbones.vgg19_features(layers, weights=None)
    model = keras_dtl.FastStyle(keras_dtl.backbones.transformer_net(), features)
    model.learn_styles([np.zeros((64, 64, 3), "uint8")])  # your paintings, (height, width, 3)
    model.compile(keras.optimizers.Adam(1e-3))
    ```
    """

    task = "image_to_image"
    learning = ("generator",)

    def __init__(
        self,
        generator,
        features,
        content_layers=CONTENT_LAYERS,
        style_layers=STYLE_LAYERS,
        content_weight=None,
        style_weight=None,
        variation_weight=None,
        loss_scale="relative",
        num_styles=1,
        **kwargs,
    ):
        weights = (content_weight, style_weight, variation_weight)
        super().__init__(features, content_layers, style_layers, weights, loss_scale, **kwargs)
        if num_styles < 1 or len(generator.inputs) != 1 + (num_styles > 1):
            raise ValueError(
                f"The generator for {num_styles} styles must have been built with "
                f"transformer_net(num_styles={num_styles}). Received: a network with "
                f"{len(generator.inputs)} inputs."
            )
        require_signed_input(generator, "generator")
        require_signed_output(generator, "generator")
        self.generator = generator
        self.num_styles = num_styles
        self.random = keras.random.SeedGenerator()
        self.style_grams = {
            layer: self.add_weight(
                name=f"style_{layer}",
                shape=(num_styles, *(2 * [features.output[layer].shape[-1]])),
                initializer="zeros",
                trainable=False,
                dtype="float32",
            )
            for layer in self.layer_weights
        }

    def learn_styles(self, styles):
        """Keep the Gram matrices of the styles that the generator shall learn.

        Args:
            styles: `num_styles` uint8 images `(height, width, 3)` of any size. Their size decides
                that of the strokes: a style as large as the photos of a batch is learnt as a whole.

        Raises:
            ValueError: When they are not so many, or no such images.
        """
        if len(styles) != self.num_styles:
            raise ValueError(f"Expected {self.num_styles} styles. Received: {len(styles)}")
        for style in styles:
            check_image(style, "A style")
        described = [self.describe(style.astype("float32")[None])["style"] for style in styles]
        for layer, weight in self.style_grams.items():
            weight.assign(np.concatenate([description[layer] for description in described]))

    def call(self, images, training=False, style=0):
        """Return float images in 0..255 in one of the styles, given by its number."""
        images, style = tf.convert_to_tensor(images), self._number(style)
        chosen = tf.fill(tf.shape(images)[:1], style)
        return self.generate(images, tf.one_hot(chosen, self.num_styles), training)

    def generate(self, images, styles, training):
        """Return float images in 0..255 in styles of weights `(batch, num_styles)`."""
        signed = to_signed(images)
        inputs = [signed, styles] if self.num_styles > 1 else signed
        return (tf.cast(self.generator(inputs, training=training), "float32") + 1.0) * 127.5

    def train_step(self, images):
        images = as_batch(images)
        styles = self._random_styles(tf.shape(images)[0])
        content = self.description(tf.cast(images, "float32"))["content"]
        with tf.GradientTape() as tape:
            generated = self.generate(images, styles, training=True)
            description = self.description(generated)
            terms = {
                "content_loss": self._content_term(description["content"], content),
                "style_loss": self._style_term(description["style"], styles),
                "variation_loss": total_variation(generated, self.loss_scale),
            }
            terms = {name: self.weights_of_terms[name] * term for name, term in terms.items()}
            loss = tf.add_n([*terms.values(), self.regularization()])
        self.minimize(loss, tape)
        return self.report(tf.shape(images)[0], loss=loss, **terms)

    def _number(self, style):
        """Return the number of a style.

        Raises:
            ValueError: When there is none of it.
        """
        if tf.is_tensor(style):  # whose value a graph does not know
            return style
        if not 0 <= int(style) < self.num_styles:
            raise ValueError(
                f"`style` must be a number from 0 to {self.num_styles - 1}. Received: {style}"
            )
        return int(style)

    def _random_styles(self, count):
        number = functools.partial(keras.random.randint, minval=0, maxval=self.num_styles)
        chosen = draw(number, count, (), self.random)
        return tf.one_hot(chosen, self.num_styles)

    def _content_term(self, features, targets):
        losses = [content_loss(features[x], targets[x], self.loss_scale) for x in targets]
        return tf.add_n(losses)

    def _style_term(self, grams, styles):
        targets = {
            layer: tf.einsum("bs,sij->bij", styles, gram)
            for layer, gram in self.style_grams.items()
        }
        losses = [
            weight * style_loss(grams[layer], targets[layer], self.loss_scale)
            for layer, weight in self.layer_weights.items()
        ]
        return tf.add_n(losses)

    def optimized_variables(self):
        return {"optimizer": self.generator.trainable_variables}

    def fit(self, x=None, *args, **kwargs):
        """See `keras.Model.fit`.

        Raises:
            ValueError: When no style was learnt, images were scaled before, which is done here, or
                photos are not alone.
        """
        require_photos(self, x, args[0] if args else kwargs.get("y"))
        check_all_pixels(x)
        if not any(np.any(gram) for gram in self.style_grams.values()):
            raise ValueError("No style is known yet. Call learn_styles([image, ...]) before fit().")
        return super().fit(x, *args, **kwargs)

    def distances(self, photos, style=0):
        """Return how far the generated images are from photos and from a style, as a mean.

        Args:
            photos: uint8 `(photos, height, width, 3)`.
            style: The number of the style.

        Returns:
            Dictionary of floats: `content_loss` and `style_loss` without their weights, and
            `style_left`, the share that is left of the photos' own style loss.
        """
        chosen = tf.one_hot([self._number(style)], self.num_styles)
        found = [self._distances(photo[None], chosen) for photo in photos]
        content, style_loss, own = np.mean(found, axis=0).tolist()
        return {"content_loss": content, "style_loss": style_loss, "style_left": style_loss / own}

    @tf.function(reduce_retracing=True)
    def _distances(self, photo, style):
        of_photo = self.description(tf.cast(photo, "float32"))
        generated = self.description(self.generate(photo, style, training=False))
        return (
            self._content_term(generated["content"], of_photo["content"]),
            self._style_term(generated["style"], style),
            self._style_term(of_photo["style"], style),
        )

    @property
    def size_multiple(self):
        """What heights and widths must be multiples of."""
        return size_multiple(self.generator)

    @property
    def least_size(self):
        """What heights and widths must reach."""
        return least_size(self.generator)

    @property
    def trained_size(self):
        """The `(height, width)` that `predict` alone takes, or `None` where it takes any."""
        return trained_size(self.generator)

    def deployable(self, style=0):
        """Return the generator of one style, uint8 images to uint8 images of any size.

        Args:
            style: The number of the style, or weights of all of them, to mix.
        """
        image = keras.Input((None, None, 3), dtype="uint8", name="image")
        signed, generator = from_pixels(image), copy_for(self.generator)
        if self.num_styles == 1:
            return keras.Model(image, ToPixels(name="stylized")(generator(signed, training=False)))
        if np.ndim(style) == 0:
            weights = np.eye(self.num_styles)[self._number(style)]
        elif np.shape(style) == (self.num_styles,):
            weights = np.asarray(style)
        else:
            raise ValueError(
                f"To mix styles takes a weight of each of the {self.num_styles}. Received: {style}"
            )
        chosen = FixedCode(weights, dtype="float32")(image)
        generated = generator([signed, chosen], training=False)
        return keras.Model(image, ToPixels(name="stylized")(generated))

    def answers(self, predictions, inputs):
        return to_pixels(predictions)


@keras.saving.register_keras_serializable("keras_dtl")
class SameStyle(FixedCode):
    """What deployed models of several styles were saved with before `FixedCode`.

    Args:
        weights: List of numbers, one for each style.
    """

    def __init__(self, weights, **kwargs):
        super().__init__(weights, **kwargs)

    def get_config(self):
        config = super().get_config()
        return {**config, "weights": config.pop("code")}
