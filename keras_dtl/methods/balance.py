import keras
import tensorflow as tf

LARGEST = 1e4
SMALLEST_LOSS = 1e-8


@keras.saving.register_keras_serializable("keras_dtl")
class Balance(keras.layers.Layer):
    """The weight that makes one loss as large as another, from running means of both.

    Sun & Saenko (2016) set the weight of their adaptation loss "so that at the end of training
    the classification loss and CORAL loss are roughly the same"; their released weights span
    four decades. This is that rule, followed at every step. Both means start at 0 and move
    alike, so their ratio is right from the first step on. No gradient flows through it.

    Args:
        momentum: Share of the old mean that a step keeps.

    Call arguments:
        reference: Scalar loss to be as large as.
        loss: Scalar loss that is weighted; its size counts, not its sign.

    Returns:
        Scalar float32 tensor in 0..10000.
    """

    def __init__(self, momentum=0.99, **kwargs):
        # Two numbers: 16 bits would save nothing, and lose the sum of small steps.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.momentum = momentum
        self.reference_mean = self._mean("reference_mean")
        self.loss_mean = self._mean("loss_mean")
        self.built = True

    def _mean(self, name):
        return self.add_weight(
            name=name,
            shape=(),
            initializer="zeros",
            trainable=False,
            dtype="float32",
            aggregation="mean",
        )

    def call(self, reference, loss):
        for mean, value in ((self.reference_mean, reference), (self.loss_mean, tf.abs(loss))):
            value = tf.stop_gradient(tf.cast(value, "float32"))
            mean.assign(self.momentum * mean + (1 - self.momentum) * value)
        ratio = self.reference_mean / tf.maximum(self.loss_mean, SMALLEST_LOSS)
        return tf.stop_gradient(tf.minimum(ratio, LARGEST))

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}
