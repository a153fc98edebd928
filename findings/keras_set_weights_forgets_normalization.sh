#!/usr/bin/env bash
# Keras 3.15.1: set_weights gives a copied model the mean and variance of an adapted Normalization
# layer, and the copy does not use them.
#
# After adapt() the layer computes with constants that are made of its weights; set_weights changes
# the weights alone. Seen: clone_model and set_weights, the way to copy a network that the guide of
# clone_model shows, give a model whose get_weights() equal the original's and which returns its
# input unchanged, as if mean 0 and variance 1. load_weights makes the constants, too: a second copy
# agrees with the original after it. The first copy, which has predicted before, does not even then:
# its traced step holds the constants of old.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "tensorflow==2.21.0" "keras==3.15.1" "numpy==2.3.4"
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1
"$folder/venv/bin/python" - "$folder/model.weights.h5" <<'PY'
import sys

import keras
import numpy as np

print("Keras", keras.__version__)
data = np.random.default_rng(0).normal(5, 2, (200, 3)).astype("float32")
normalization = keras.layers.Normalization()
normalization.adapt(data)
numbers = keras.Input((3,))
model = keras.Model(numbers, normalization(numbers))
copy = keras.models.clone_model(model)
copy.set_weights(model.get_weights())
one = np.ones((1, 3), "float32")
expected, received = (network.predict(one, verbose=0) for network in (model, copy))
same = all(np.array_equal(a, b) for a, b in zip(model.get_weights(), copy.get_weights()))
print("weights are the same:", same)
print("original:", expected.round(3), "- copy:", received.round(3))
model.save_weights(sys.argv[1])
fresh = keras.models.clone_model(model)
for network in (fresh, copy):
    network.load_weights(sys.argv[1])
loaded, late = (network.predict(one, verbose=0) for network in (fresh, copy))
print("after load_weights:", loaded.round(3), "- where predict was traced before:", late.round(3))
assert same
np.testing.assert_array_equal(received, one)
np.testing.assert_array_equal(late, one)
assert np.abs(expected - one).min() > 1
np.testing.assert_allclose(loaded, expected, rtol=1e-6)
PY
