import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class AdaptiveInstanceNormalization(keras.layers.Layer):
    """Instance normalisation over time, with factor and offset that a style code decides.

    Reference: Huang & Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
    Normalization", ICCV 2017; for motion Aberman et al., "Unpaired Motion Style Transfer from
    Video to Animation", SIGGRAPH 2020.

    Args:
        epsilon: Added to the variance.

    Call arguments:
        inputs: `[features, code]`: tensors `(batch, time, channels)` and `(batch, numbers)`.

    Output shape: that of the features.
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        features, code = input_shape
        self.modulation = keras.layers.Dense(2 * features[-1], dtype=self.dtype_policy)
        self.modulation.build(code)

    def call(self, inputs):
        features, code = inputs
        mean, variance = ops.moments(features, axes=1, keepdims=True)
        normalized = (features - mean) * ops.rsqrt(variance + self.epsilon)
        scale, offset = ops.split(self.modulation(code)[:, None, :], 2, axis=-1)
        return normalized * (1.0 + scale) + offset

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
