#!/usr/bin/env bash
# TensorFlow 2.21.0: the second gradient of tf.nn.moments is wrong, and with it that of Keras'
# GroupNormalization and LayerNormalization.
#
# The variance is computed from the mean behind a stop_gradient, which changes no first gradient; the
# second one lacks what goes through the mean. The bias of a convolution changes nothing of what is
# normalised behind it, so the gradient in it of whatever one makes of that is 0. Seen: that of a
# penalty on the slope is 0.11 with tf.nn.moments and with both layers of Keras 3.15.1, and 0 with a
# variance that is written out.
# Discriminators with these layers learn something else than the penalties R1 and WGAN-GP.
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
random = np.random.default_rng(0)
images = tf.constant(random.normal(size=(2, 4, 4, 3)), "float32")
weights = tf.constant(random.normal(size=images.shape), "float32")
kernel = tf.constant(random.normal(size=(3, 3, 3, 3)), "float32")


def written_out(x):
    centred = x - tf.reduce_mean(x, (1, 2), keepdims=True)
    return centred * tf.math.rsqrt(tf.reduce_mean(centred**2, (1, 2), keepdims=True) + 1e-3)


def by_moments(x):
    mean, variance = tf.nn.moments(x, (1, 2), keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-3)


def slope_of_penalty(normalize):
    """Return the gradient of a penalty on the slope in the bias of a convolution."""
    added = tf.zeros(3)
    with tf.GradientTape() as outer:
        outer.watch(added)
        with tf.GradientTape() as inner:
            inner.watch(images)
            maps = tf.nn.conv2d(images, kernel, 1, "SAME") + added
            score = tf.reduce_sum(weights * tf.tanh(normalize(maps)))
        penalty = tf.reduce_sum(inner.gradient(score, images) ** 2)
    return float(tf.reduce_max(tf.abs(outer.gradient(penalty, added))))


found = {
    "written out": slope_of_penalty(written_out),
    "tf.nn.moments": slope_of_penalty(by_moments),
    "GroupNormalization": slope_of_penalty(keras.layers.GroupNormalization(groups=-1)),
    "LayerNormalization": slope_of_penalty(keras.layers.LayerNormalization((1, 2))),
}
for name, slope in found.items():
    print(f"{name}: {slope:.6f}, 0 by definition")
assert found.pop("written out") < 1e-3, found
assert min(found.values()) > 0.05, found
PY
