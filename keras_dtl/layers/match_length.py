import keras


@keras.saving.register_keras_serializable("keras_dtl")
class MatchLength(keras.layers.Layer):
    """Cut a sequence to the length of another.

    Call arguments:
        inputs: `[sequence, other]`: tensors `(batch, time, channels)`, the first not shorter.

    Output shape: `(batch, time of the other, channels of the first)`.
    """

    def call(self, inputs):
        sequence, other = inputs
        return sequence[:, : keras.ops.shape(other)[1]]

    def compute_output_shape(self, input_shape):
        sequence, other = input_shape
        return (sequence[0], other[1], sequence[2])
