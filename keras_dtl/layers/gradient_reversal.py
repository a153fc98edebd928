import math

import keras
import tensorflow as tf


@tf.custom_gradient
def reverse_gradient(features, strength):
    """Return `features` unchanged; backwards, their gradient is multiplied by `-strength`."""

    def gradient(upstream):
        return -tf.cast(strength, upstream.dtype) * upstream, None

    return tf.identity(features), gradient


@keras.saving.register_keras_serializable("keras_dtl")
class GradientReversal(keras.layers.Layer):
    """The identity whose gradient is multiplied by minus its strength.

    Put between an encoder and a discriminator of domains it makes one minimisation play both
    sides: the discriminator learns to tell the domains apart while the encoder, which receives
    the reversed gradient, learns to make them alike. The strength reaches the encoder alone;
    what stands behind this layer learns at full rate.

    Reference: Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 2016.

    Args:
        strength: Non-negative number, the initial value of the `strength` weight. That weight is
            not trainable; a `keras_dtl.callbacks.ProgressSchedule` sets it during `fit`.

    Call arguments:
        features: Tensor of any shape and any floating type.

    Output shape: that of the input.

    Example:

    ```python
    import tensorflow as tf
    from keras_dtl.layers import GradientReversal

    layer = GradientReversal(strength=0.5)
    x = tf.constant([3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    print(tape.gradient(y, x))  # -0.5
    ```
    """

    def __init__(self, strength=1.0, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= strength < math.inf:
            raise ValueError(
                f"`strength` must be 0 or more: a negative one would undo the reversal. "
                f"Received: strength={strength}"
            )
        self.strength = self.add_weight(
            name="strength",
            shape=(),
            initializer=keras.initializers.Constant(strength),
            trainable=False,
            dtype="float32",
        )
        self.built = True

    def call(self, features):
        return reverse_gradient(features, tf.convert_to_tensor(self.strength))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        strength = float(keras.ops.convert_to_numpy(self.strength))
        return {**super().get_config(), "strength": strength}
