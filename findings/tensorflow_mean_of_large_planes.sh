#!/usr/bin/env bash
# TensorFlow 2.21.0 (CPU): the mean over height and width of a large image of several channels is
# wrong by up to an eighth of its value.
#
# The mean of equal numbers is that number. Seen: tf.reduce_mean over axes (1, 2) of 3000 x 4000 x 3
# float32 values of 200.0 gives 226.770; GlobalAveragePooling2D of Keras 3.15.1 gives the same. One
# channel, all axes at once, or the width first and then the height give 200.0.
# Normalisation layers that take the mean of whole photos inherit it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "tensorflow==2.21.0" "keras==3.15.1" "numpy==2.3.4"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" - <<'PY'
import keras
import numpy as np
import tensorflow as tf

print("TensorFlow", tf.__version__, "Keras", keras.__version__)
image = tf.fill((1, 3000, 4000, 3), np.float32(200.0))
found = {
    "height and width at once": tf.reduce_mean(image, (1, 2)),
    "GlobalAveragePooling2D": keras.layers.GlobalAveragePooling2D()(image),
    "one channel": tf.reduce_mean(image[..., :1], (1, 2)),
    "width, then height": tf.reduce_mean(tf.reduce_mean(image, 2), 1),
    "float64": tf.reduce_mean(tf.cast(image, "float64"), (1, 2)),
}
found = {name: float(np.asarray(value).ravel()[0]) for name, value in found.items()}
for name, value in found.items():
    print(f"{name}: {value:.3f}, 200 by definition")
assert found["height and width at once"] > 220, found
assert found["GlobalAveragePooling2D"] > 220, found
assert all(abs(found[name] - 200) < 0.01 for name in list(found)[2:]), found
PY
