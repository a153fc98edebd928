"""What the methods of style share: a frozen network that describes content and style."""

import math
import numbers

import tensorflow as tf

from keras_dtl.layers import GramMatrix
from keras_dtl.losses import LOSS_SCALES
from keras_dtl.methods.scaling_method import ScalingMethod

# Of content, style and total variation, as published with each scale of the losses.
PUBLISHED_WEIGHTS = {
    "paper": (1.0, 1e3, 0.0),
    "gatys_torch": (1.0, 1e3, 0.0),
    "johnson": (5.0, 100.0, 1e-3),
    "relative": (1.0, 5.0, 1e-3),
}


class Perceptual(ScalingMethod):
    """Losses on what a frozen network sees: features for content, Gram matrices for style.

    Args:
        features: Network from float images in 0..255 to a dictionary of features by layer, such
            as `keras_dtl.backbones.vgg19_features()`. It is frozen.
        content_layers: Names of layers.
        style_layers: Names of layers, or a dictionary from them to weights. Names alone have
            weights of 1, under the scale `"paper"` those that add up to 1.
        weights: Of content, style and total variation: numbers of 0 or more. `None` takes what
            was published with `loss_scale`.
        loss_scale: What the losses are divided by, one of `keras_dtl.losses.LOSS_SCALES`.
    """

    tracked = ("content_loss", "style_loss", "variation_loss")
    own_losses = True

    def __init__(self, features, content_layers, style_layers, weights, loss_scale, **kwargs):
        super().__init__(**kwargs)
        if loss_scale not in LOSS_SCALES:
            raise ValueError(f"`loss_scale` must be one of {LOSS_SCALES}. Received: {loss_scale!r}")
        features.trainable = False
        self.features = features
        self.content_layers = tuple(content_layers)
        self.style_layers = style_layers
        self.layer_weights = _layer_weights(style_layers, loss_scale)
        self.loss_scale = loss_scale
        self.content_weight, self.style_weight, self.variation_weight = (
            published if weight is None else weight
            for weight, published in zip(weights, PUBLISHED_WEIGHTS[loss_scale], strict=True)
        )
        _check_layers(features, self.layers_of_interest)
        sought = (self.content_layers, self.layer_weights, True)
        if not any(weight and of for weight, of in zip(self._weights, sought, strict=True)):
            raise ValueError(
                "Nothing is asked of an image: the weights of content, style and variation are "
                f"{self._weights}, for the content layers {self.content_layers} and the style "
                f"layers {tuple(self.layer_weights)}. One with layers must be above 0."
            )

    @property
    def layers_of_interest(self):
        """Names of all layers that a loss looks at."""
        return tuple(dict.fromkeys((*self.content_layers, *self.layer_weights)))

    @property
    def weights_of_terms(self):
        return dict(zip(self.tracked, self._weights, strict=True))

    @property
    def _weights(self):
        return self.content_weight, self.style_weight, self.variation_weight

    def description(self, images):
        """Return `{"content": features by layer, "style": Gram matrices by layer}` of images."""
        features = self.features(images, training=False)  # it is frozen
        return {
            "content": {layer: features[layer] for layer in self.content_layers},
            "style": {layer: self.gram(features[layer]) for layer in self.layer_weights},
        }

    @tf.function(reduce_retracing=True)
    def describe(self, images):
        """Return what `description` does, compiled."""
        return self.description(images)

    def gram(self, features, mask=None):
        """Return the mean over positions of the products of all pairs of channels.

        Args:
            features: Tensor `(batch, height, width, channels)`.
            mask: Tensor `(1, height, width, 1)` in 0..1, the share that each position has, or None.
        """
        if mask is None:
            return GramMatrix("positions")(features)
        return GramMatrix()(features * mask) / tf.reduce_sum(tf.square(mask))


def _layer_weights(layers, loss_scale):
    """Return `{layer: weight}` of names, or of a dictionary as it is."""
    if isinstance(layers, dict):
        _check_weights(layers)
        return dict(layers)
    layers = tuple(layers)
    # The paper weighs its five layers by 1/5; the two programs do not.
    weight = 1 / len(layers) if loss_scale == "paper" and layers else 1.0
    return dict.fromkeys(layers, weight)


def _check_layers(features, names):
    known = features.output if isinstance(features.output, dict) else {}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"`features` must return a dictionary with the layers {', '.join(names)}. Received: a "
            f"network without {', '.join(unknown)}; it has {sorted(known)}. Ask for them: "
            "vgg19_features(outputs=...)."
        )


def _check_weights(weights):
    for name, weight in weights.items():
        if not isinstance(weight, numbers.Real) or not 0 <= weight < math.inf:
            raise ValueError(
                f"The weight of {name} must be a finite number of 0 or more. Received: {weight}"
            )
