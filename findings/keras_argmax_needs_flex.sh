#!/usr/bin/env bash
# Keras 3.15.1 with TensorFlow 2.21.0: a model that answers with the number of a class by
# keras.ops.argmax cannot be converted to LiteRT; the same model with tf.argmax can.
#
# ARG_MAX is a built-in operator of LiteRT. Seen: keras.ops.argmax of floats first looks for zeros
# with a sign, whose bit it reads by tf.bitwise.bitwise_and on integers, and BitwiseAnd is none. The
# converter refuses the model and names BitwiseAnd as an operation that needs TensorFlow's own
# kernels (SELECT_TF_OPS), which a plain LiteRT interpreter does not have. Of logits that are cast to
# whole numbers keras.ops.argmax is converted, as it reads no signs there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "tensorflow==2.21.0" "keras==3.15.1" "numpy==2.3.4"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" - <<'PY'
import keras
import tensorflow as tf

print("Keras", keras.__version__, "TensorFlow", tf.__version__)


def converted(answer):
    """Return the LiteRT model of ten logits and `answer`, or what the converter says."""
    images = keras.Input((8,), batch_size=1)
    model = keras.Model(images, answer(keras.layers.Dense(10)(images)))
    function = tf.function(lambda x: model(x, training=False))
    signature = function.get_concrete_function(tf.TensorSpec((1, 8), "float32"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([signature], model)
    try:
        return converter.convert()
    except Exception as error:  # the converter's own, a class of its C++ part
        return str(error)


class TensorFlowArgmax(keras.layers.Layer):
    def call(self, logits):
        return tf.argmax(logits, axis=-1, output_type="int32")


by_keras = converted(lambda logits: keras.ops.argmax(logits, axis=-1))
by_tensorflow = converted(TensorFlowArgmax())
whole = converted(lambda logits: keras.ops.argmax(keras.ops.cast(logits, "int32"), axis=-1))
print("keras.ops.argmax of floats:", "refused" if isinstance(by_keras, str) else "converted")
print("tf.argmax:", "refused" if isinstance(by_tensorflow, str) else "converted")
print("keras.ops.argmax of whole numbers:", "refused" if isinstance(whole, str) else "converted")
assert isinstance(by_keras, str) and "BitwiseAnd" in by_keras, by_keras
assert isinstance(by_tensorflow, bytes), by_tensorflow
assert isinstance(whole, bytes), whole
PY
