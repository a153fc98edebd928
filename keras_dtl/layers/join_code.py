import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class JoinCode(keras.layers.Layer):
    """Join one code to every step of a sequence.

    Call arguments:
        inputs: `[sequence, code]`: tensors `(batch, time, channels)` and `(batch, numbers)`.

    Output shape: `(batch, time, channels + numbers)`.
    """

    def call(self, inputs):
        sequence, code = inputs
        along = ops.zeros_like(sequence[:, :, :1]) + code[:, None, :]
        return ops.concatenate([sequence, along], axis=-1)

    def compute_output_shape(self, input_shape):
        sequence, code = input_shape
        return (*sequence[:2], sequence[2] + code[1])
