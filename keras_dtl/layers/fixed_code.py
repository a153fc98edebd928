import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class FixedCode(keras.layers.Layer):
    """The same code for every example.

    Args:
        code: Its numbers.

    Call arguments:
        inputs: Tensor `(batch, ...)`, of which only the batch counts.

    Output shape: `(batch, numbers)`.
    """

    def __init__(self, code, **kwargs):
        super().__init__(**kwargs)
        self.code = [float(number) for number in code]

    def call(self, inputs):
        code = ops.convert_to_tensor(self.code, self.compute_dtype)
        return ops.tile(code[None], (ops.shape(inputs)[0], 1))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], len(self.code))

    def get_config(self):
        return {**super().get_config(), "code": self.code}
