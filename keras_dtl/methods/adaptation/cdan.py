import math

import keras
import tensorflow as tf

from keras_dtl.methods.adaptation.dann import DANN

LARGEST_MAP = 4096
"""Numbers of the multilinear map above which it is drawn at random, as published."""


@keras.saving.register_keras_serializable("keras_dtl")
class CDAN(DANN):
    """Conditional domain-adversarial network: domains made alike class by class.

    The discriminator of `DANN` sees the features `f` alone; where domains hold several classes,
    features of one class may be aligned with those of another. Here it sees how they go together
    with the classifier's answer `g`, a probability for each class: the multilinear map

        T(f, g) = f (x) g, all products of a feature and a probability

    or, where these would be more than 4096 numbers, as many random ones as `projection_size`:

        T(f, g) = (R_f f) * (R_g g) / sqrt(projection_size)

    with R_f and R_g drawn from the standard Gaussian once. Everything else is `DANN`:

        min over encoder, classifier:  L_label - strength * adaptation_weight * L_domain(T(f, g))
        min over discriminator:        adaptation_weight * L_domain(T(f, g))

    With `entropy_conditioning` (CDAN+E), examples whose class is sure count more in the domain
    loss: by `1 + exp(-H(g))`, H in nats, scaled to a mean of 1 in each domain; under
    `tf.distribute` in each replica's part of the batch.

    Logs: `label_loss`, `domain_loss` (log 2 = 0.693 when the discriminator is lost) and
    `domain_accuracy` (0.5 = chance).

    Reference: Long, Cao, Wang & Jordan, "Conditional Adversarial Domain Adaptation", NeurIPS
    2018.

    Differs from the paper: the domain loss has no gradient in the answers, neither through the
    map nor through the entropy, so that adversary and label loss do not pull at one classifier;
    the discriminator gives one logit; and its strength is full from the start, see `DANN`.

    Args:
        encoder, classifier, adaptation_weight, batch_norm: See `DomainAdaptation`. The encoder
            must give vectors.
        discriminator: Network from `conditioned_size(features, classes)` numbers to one logit
            `(batch, 1)`. It must not end in a sigmoid.
        reversal_strength: Initial value of the strength, 0 or more, see `DANN`.
        entropy_conditioning: Whether sure examples count more.
        projection_size: Numbers of a random map, 1 or more.
        restrained: Whether the adversary waits for the labels, see `DANN`.

    Raises:
        ValueError: When features are no vectors, or the discriminator takes another size.

    Example:

    ```python
    import keras_dtl
    from keras_dtl.methods.adaptation.cdan import conditioned_size

    encoder = keras_dtl.backbones.lenet((28, 28, 3))
    features = encoder.output_shape[-1]
    classifier = keras_dtl.backbones.mlp((features,), (100,), 10)
    discriminator = keras_dtl.backbones.mlp((conditioned_size(features, 10),), (100,), 1)
    model = keras_dtl.CDAN(encoder, classifier, discriminator)
    ```
    """

    reads_classes = True

    def __init__(
        self,
        encoder,
        classifier,
        discriminator,
        adaptation_weight=1.0,
        reversal_strength=1.0,
        batch_norm="joint",
        entropy_conditioning=True,
        projection_size=1024,
        restrained=False,
        **kwargs,
    ):
        kwargs |= {"batch_norm": batch_norm, "restrained": restrained}
        weights = (adaptation_weight, reversal_strength)
        super().__init__(encoder, classifier, discriminator, *weights, **kwargs)
        self.entropy_conditioning = entropy_conditioning
        self.projection_size = projection_size
        _check_shapes(encoder, classifier, discriminator, projection_size)
        self.projections = None
        sizes = encoder.output_shape[-1], classifier.output_shape[-1]
        if math.prod(sizes) > LARGEST_MAP:
            self.projections = [self._projection(size) for size in sizes]

    def evidence(self, outputs):
        features = tf.cast(outputs.features, "float32")
        answers = tf.stop_gradient(tf.nn.softmax(outputs.logits))
        if self.projections is None:
            products = features[:, :, None] * answers[:, None, :]  # (examples, features, classes)
            return tf.reshape(products, (-1, math.prod(products.shape[1:])))
        of_features, of_answers = (tf.convert_to_tensor(p) for p in self.projections)
        mapped = tf.matmul(features, of_features) * tf.matmul(answers, of_answers)
        return mapped / math.sqrt(self.projection_size)

    def domain_weights(self, outputs):
        given = super().domain_weights(outputs)
        if not self.entropy_conditioning:
            return given
        logits = outputs.source[1], outputs.target[1]
        return tuple(_certainty(x, weights) for x, weights in zip(logits, given, strict=True))

    def _projection(self, size):
        return self.add_weight(
            shape=(size, self.projection_size),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
            trainable=False,
            dtype="float32",
        )


def conditioned_size(features, classes, projection_size=1024):
    """Return how many numbers the discriminator of a `CDAN` takes.

    Args:
        features: Numbers that the encoder gives, 1 or more.
        classes: Of the classifier, 1 or more.
        projection_size: Of a random map, which takes the place of more than 4096 products.
    """
    return features * classes if features * classes <= LARGEST_MAP else projection_size


def _certainty(logits, weights):
    """Return `1 + exp(-entropy)` of answers, with a mean of 1, times weights that were given."""
    log_answers = tf.nn.log_softmax(tf.cast(logits, "float32"))
    entropy = -tf.reduce_sum(tf.exp(log_answers) * log_answers, -1)
    certainty = tf.stop_gradient(1.0 + tf.exp(-entropy))
    certainty /= tf.reduce_mean(certainty)
    return certainty if weights is None else certainty * weights


def _check_shapes(encoder, classifier, discriminator, projection_size):
    shapes = encoder.output_shape, classifier.output_shape
    if any(len(shape) != 2 for shape in shapes):
        raise ValueError(
            "CDAN needs an encoder that gives vectors and a classifier of them. Received: outputs "
            f"of shapes {shapes[0]} and {shapes[1]}. Pool the maps of the encoder."
        )
    expected = conditioned_size(shapes[0][-1], shapes[1][-1], projection_size)
    if discriminator.input_shape != (None, expected):
        raise ValueError(
            f"The discriminator must take {expected} numbers: conditioned_size({shapes[0][-1]} "
            f"features, {shapes[1][-1]} classes). Received: inputs of shape "
            f"{discriminator.input_shape}."
        )
