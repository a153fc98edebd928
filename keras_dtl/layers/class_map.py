import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_dtl")
class ClassMap(keras.layers.Layer):
    """Turns logits of each pixel into the number of the likeliest class.

    The last layer of a deployed segmenter. It has no gradient.

    Call arguments:
        logits: Tensor `(batch, height, width, classes)` of at most 255 classes.

    Output shape: `(batch, height, width)`, uint8; the first of equal logits wins.
    """

    def call(self, logits):
        return tf.cast(tf.argmax(logits, -1, output_type="int32"), "uint8")

    def compute_output_spec(self, logits):
        return keras.KerasTensor(logits.shape[:-1], "uint8")
