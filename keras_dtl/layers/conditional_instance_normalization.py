import keras
from keras import ops

from keras_dtl.layers.instance_normalization import InstanceNormalization


@keras.saving.register_keras_serializable("keras_dtl")
class ConditionalInstanceNormalization(keras.layers.Layer):
    """Instance normalisation with a factor and an offset a channel for each of several styles.

    All other weights of a network serve every style; these few numbers make the difference, and
    mixing them mixes styles.

    Reference: Dumoulin, Shlens & Kudlur, "A Learned Representation for Artistic Style", ICLR 2017.

    Args:
        epsilon: Added to the variance.

    Call arguments:
        inputs: `[features, style]`: a tensor `(batch, height, width, channels)` and the weights of
            the styles `(batch, styles)`, such as one 1 among zeros.

    Output shape: that of the features.
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.normalization = InstanceNormalization(
            epsilon, center=False, scale=False, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        features, style = input_shape
        shape = (style[-1], features[-1])
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")

    def call(self, inputs):
        features, style = inputs
        style = ops.cast(style, features.dtype)
        gamma, beta = (
            ops.matmul(style, ops.cast(weight, features.dtype))[:, None, None, :]
            for weight in (self.gamma, self.beta)
        )
        return self.normalization(features) * gamma + beta

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
