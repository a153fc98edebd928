import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class ToPixels(keras.layers.Layer):
    """Turns images in -1..1 into uint8 pixels in 0..255, rounded and clipped.

    The last layer of a deployed generator: what leaves it can be written to a file as it is.
    It has no gradient.

    Call arguments:
        images: Floating tensor of any shape.

    Output shape: that of the input, uint8.
    """

    def call(self, images):
        pixels = (ops.cast(images, "float32") + 1.0) * 127.5
        return ops.cast(ops.round(ops.clip(pixels, 0.0, 255.0)), "uint8")

    def compute_output_spec(self, images):
        return keras.KerasTensor(images.shape, dtype="uint8")
