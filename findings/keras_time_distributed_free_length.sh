#!/usr/bin/env bash
# Keras 3.15.1 with TensorFlow 2.21.0: TimeDistributed of series of a free length returns as many
# moments as there are series, in `predict` and in whatever is exported.
#
# In a graph that does not know the length the layer goes over the size of the batch in place of the
# length of the series, silently where the batch is smaller. Seen: two series of 5 moments through a
# model of Input((None, 4)) and TimeDistributed(Dense(2)) give (2, 5, 2) at the first `predict`. Two
# series of 7 moments give (2, 2, 2) at the second one, which Keras traces anew for any length; the
# model called eagerly gives (2, 7, 2). A tf.function with the signature (None, None, 4), as export
# makes it, gives 2 moments from the first call on. Dense by itself, which needs no TimeDistributed,
# gives 7.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "tensorflow==2.21.0" "keras==3.15.1" "numpy==2.3.4"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" - <<'PY'
import keras
import numpy as np
import tensorflow as tf

print("Keras", keras.__version__, "TensorFlow", tf.__version__)


def free_length(layer):
    series = keras.Input((None, 4))
    return keras.Model(series, layer(series))


repeated = free_length(keras.layers.TimeDistributed(keras.layers.Dense(2)))
plain = free_length(keras.layers.Dense(2))
short, long = (np.ones((2, moments, 4), "float32") for moments in (5, 7))
first, second = (repeated.predict(series, verbose=0).shape for series in (short, long))
eager = tuple(repeated(long).shape)
signature = [tf.TensorSpec((None, None, 4))]
exported = tuple(tf.function(lambda x: repeated(x), signature)(long).shape)
plain.predict(short, verbose=0)
bare = plain.predict(long, verbose=0).shape
print("predict on 5 moments, then on 7:", first, second, "- eager:", eager)
print("as a function of any length:", exported, "- Dense alone:", bare)
assert first == (2, 5, 2) and eager == bare == (2, 7, 2), (first, eager, bare)
assert second == exported == (2, 2, 2), (second, exported)
PY
