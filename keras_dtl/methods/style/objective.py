"""What Gatys et al. minimise, at one size of the image, as one compiled graph."""

import keras
import tensorflow as tf

from keras_dtl.layers import suits_winograd, with_winograd
from keras_dtl.losses import content_loss, style_loss, total_variation
from keras_dtl.methods.style.pixel_optimizers import Evaluation


class StyleObjective:
    """Loss and gradient of an image against a content and styles; these are described once.

    Args:
        method: The `StyleTransfer`, for its networks and weights.
        content: float32 image `(1, height, width, 3)`, or None without content.
        regions: List of `Region`.
        size: The image's `(height, width)`.
        jit_compile: Whether XLA compiles the graph; `"auto"` does on a CPU where the network has
            convolutions that `WinogradConv2D` can take over.
    """

    def __init__(self, method, content, regions, size, jit_compile="auto"):
        self.method = method
        fast = suits_winograd(method.features) and not tf.config.list_physical_devices("GPU")
        compiled = fast if jit_compile == "auto" else jit_compile
        self.features = with_winograd(method.features) if fast and compiled else method.features
        shapes = layer_shapes(method, size)
        self.content = {} if content is None else self.describe_content(content)
        self.masks = [
            {layer: _resize_mask(region.mask, shapes[layer]) for layer in method.layer_weights}
            for region in regions
        ]
        self.shares = [region.share for region in regions]
        self.targets = [self._blend(region.styles) for region in regions]
        self.term_names = [name for name in method.tracked if self._has(name)]
        self._graph = tf.function(
            self.losses_and_gradient,
            input_signature=[tf.TensorSpec((1, *size, 3))],
            jit_compile=compiled,
        )

    def describe_content(self, image):
        """Return the features of a content by layer."""
        return self.method.describe(image)["content"]

    def describe_style(self, image):
        """Return the Gram matrices of a style by layer, divided by their positions."""
        return self.method.describe(image)["style"]

    def _blend(self, styles):
        """Return the mean Gram matrices of styles.

        The distance from their weighted mean is the weighted mean of the distances from each, up
        to a constant: one comparison does for any number of styles.
        """
        blended = {}
        for weight, image in styles:
            layer_shapes(self.method, image.shape[1:3])
            for layer, gram in self.describe_style(image).items():
                blended[layer] = blended.get(layer, 0.0) + weight * gram
        return blended

    def _has(self, term):
        parts = {"content_loss": self.content, "style_loss": self.targets}
        return bool(parts.get(term, True)) and self.method.weights_of_terms[term] > 0

    def __call__(self, image):
        terms, gradient = self._graph(tf.constant(image))
        terms = dict(zip(self.term_names, terms.numpy().tolist(), strict=True))
        return Evaluation(sum(terms.values()), terms, gradient.numpy())

    def losses_and_gradient(self, image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            terms = self.terms(image)
            loss = tf.add_n(terms)
        return tf.stack(terms), tape.gradient(loss, image)

    def terms(self, image):
        """Return the weighted terms of the loss, in the order of `term_names`."""
        features = self.features(image, training=False)
        losses = {
            "content_loss": lambda: self.content_term(features),
            "style_loss": lambda: self.style_term(self.grams(features)),
            "variation_loss": lambda: total_variation(image, self.method.loss_scale),
        }
        return [self.method.weights_of_terms[name] * losses[name]() for name in self.term_names]

    def content_term(self, features):
        return tf.add_n(
            [
                content_loss(features[layer], target, self.method.loss_scale)
                for layer, target in self.content.items()
            ]
        )

    def grams(self, features):
        """Return for each region the Gram matrices by layer, divided by its positions."""
        return [
            {layer: self.method.gram(features[layer], mask) for layer, mask in masks.items()}
            for masks in self.masks
        ]

    def style_term(self, grams):
        """Return the style loss of what `grams` returned, over all regions and layers."""
        return tf.add_n(
            [
                share * weight * style_loss(gram[layer], target[layer], self.method.loss_scale)
                for share, gram, target in zip(self.shares, grams, self.targets, strict=True)
                for layer, weight in self.method.layer_weights.items()
            ]
        )


def layer_shapes(method, size):
    """Return the `(height, width)` of each layer of interest for an image of a size.

    Raises:
        ValueError: When nothing is left of the image in the deepest layer.
    """
    too_small = ValueError(
        f"An image of {size[0]}x{size[1]} pixels is too small for the feature network: nothing of "
        "it is left in the deepest layer. VGG19 up to conv5_1 needs 16x16."
    )
    try:
        outputs = method.features.compute_output_spec(keras.KerasTensor((1, *size, 3)))
    except ValueError as error:  # from a layer of which nothing would be left
        raise too_small from error
    shapes = {name: tuple(outputs[name].shape[1:3]) for name in method.layers_of_interest}
    if any(0 in shape for shape in shapes.values()):
        raise too_small
    return shapes


def _resize_mask(mask, shape):
    return None if mask is None else tf.image.resize(mask, shape, method="area")
