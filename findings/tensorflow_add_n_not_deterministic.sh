#!/usr/bin/env bash
# TensorFlow 2.21.0 (CPU, two cores or more): a sum of four tensors gives two different results for
# the same input, under tf.config.experimental.enable_op_determinism().
#
# That switch promises that every operation gives the same output for the same input. Seen: where
# what is summed has another reader besides, 3000 calls of one tf.function give two results that
# differ in their last bits, by tf.add_n as by tf.add one after the other, in shares of about two to
# one. With arithmetic_optimization switched off, which rewrites such sums, tf.add gives one result.
# The gradient of a weight that is read three times and more is such a sum: a training step need not
# repeat bit for bit, and a resumed training parts from one that was never stopped. It depends on
# which thread comes first, so that a round may show one result; here up to six rounds are taken.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "tensorflow==2.21.0" "keras==3.15.1" "numpy==2.3.4"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" - <<'PY'
import functools

import numpy as np
import tensorflow as tf

print("TensorFlow", tf.__version__)
tf.config.experimental.enable_op_determinism()
random = np.random.default_rng(0)
batch = tf.constant(random.normal(size=(64, 128)).astype("float32"))
kernels = [tf.constant(random.normal(size=(128, 128)).astype("float32")) for _ in range(4)]


def outcomes(add):
    """Return how often each result came, in 3000 calls."""

    @tf.function
    def total(batch):
        parts = [tf.matmul(batch, kernel) for kernel in kernels]
        readers = [tf.reduce_sum(tf.exp(-tf.abs(part))) for part in parts[:3]]
        return add(parts), tf.stack(readers)

    counts = {}
    for _ in range(3000):
        result = total(batch)[0].numpy().tobytes()
        counts[result] = counts.get(result, 0) + 1
    return sorted(counts.values(), reverse=True)


def add_in_order(parts):
    return functools.reduce(tf.add, parts)


def most(add):
    """Return the outcomes of the round of six that has most, or of the first that has several."""
    for _ in range(6):
        found = outcomes(add)
        if len(found) > 1:
            break
    return found


by_add_n, by_add = most(tf.add_n), most(add_in_order)
tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
as_written = most(add_in_order)
print(f"tf.add_n: {len(by_add_n)} results, {by_add_n} times")
print(f"tf.add one after the other: {len(by_add)} results, {by_add} times")
print(f"the same without arithmetic_optimization: {len(as_written)} result, {as_written} times")
assert len(by_add_n) > 1 and len(by_add) > 1, (by_add_n, by_add)
assert len(as_written) == 1, as_written
PY
