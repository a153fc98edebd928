import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_dtl")
class ResizeLike(keras.layers.Layer):
    """Brings maps to the height and width of other maps or images, whatever those are.

    Bilinear, in float32. Networks that halve and double odd sizes end a pixel off; this ends
    exactly there. Maps of that size already pass through unchanged.

    Call arguments:
        maps: Floating tensor `(batch, height, width, channels)`.
        reference: Tensor `(batch, other height, other width, ...)`.

    Output shape: `(batch, other height, other width, channels)`, float32.
    """

    def call(self, maps, reference):
        if None not in maps.shape[1:3] and maps.shape[1:3] == reference.shape[1:3]:
            return tf.cast(maps, "float32")
        size = reference.shape[1:3]
        if None in size:
            size = tf.shape(reference)[1:3]
        return tf.image.resize(tf.cast(maps, "float32"), size)

    def compute_output_spec(self, maps, reference):
        return keras.KerasTensor((*maps.shape[:1], *reference.shape[1:3], maps.shape[3]), "float32")
