import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_dtl")
class RepeatPixels(keras.layers.Layer):
    """Enlarges images by a whole factor: each pixel becomes a square of itself.

    The same as `keras.layers.UpSampling2D`, whose ONNX graph computes shapes and changes the layout
    to and fro. This one is two nodes: channels are repeated, then laid out as pixels.

    Args:
        factor: Whole number of 2 or more.

    Call arguments:
        images: Tensor of shape `(batch, height, width, channels)`.

    Output shape: `(batch, factor * height, factor * width, channels)`.
    """

    def __init__(self, factor=2, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(factor, int) or factor < 2:
            raise ValueError(f"`factor` must be a whole number of 2 or more. Received: {factor!r}")
        self.factor = factor

    def call(self, images):
        return tf.nn.depth_to_space(tf.concat([images] * self.factor**2, -1), self.factor)

    def compute_output_shape(self, input_shape):
        batch, *sizes, channels = input_shape
        larger = (size if size is None else size * self.factor for size in sizes)
        return (batch, *larger, channels)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
