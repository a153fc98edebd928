#!/usr/bin/env bash
# tf2onnx 1.17.0 writes a resize to a fixed size as a factor, by which some sizes come out short.
#
# 224 pixels resized to 31 are multiplied by 31 / 224 in float32, which is rounded down to 30: the
# graph passes the checker, and onnxruntime returns 30 x 30 pixels where TensorFlow returns 31 x 31.
# One in twenty pairs of sizes up to 1024 and 512 is such a one. `tf.image.resize` and Keras'
# `Resizing` meet it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
    "tensorflow-cpu==2.21.0" "tf2onnx==1.17.0" "onnx==1.19.1" "onnxruntime==1.23.2"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES='' "$folder/venv/bin/python" - 2> "$folder/log" <<'PY' \
    || { cat "$folder/log" >&2; exit 1; }
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx

spec = tf.TensorSpec((1, 224, 224, 1), tf.float32, name="x")


@tf.function(input_signature=[spec])
def resize(x):
    return tf.image.resize(x, (31, 31))


graph, _ = tf2onnx.convert.from_function(resize, [spec], opset=18)
onnx.checker.check_model(graph)
session = onnxruntime.InferenceSession(
    graph.SerializeToString(), providers=["CPUExecutionProvider"]
)
x = np.zeros(spec.shape, "float32")
found, expected = session.run(None, {"x": x})[0].shape, resize(x).shape
print("tf2onnx", tf2onnx.__version__, "onnxruntime", onnxruntime.__version__)
print(f"TensorFlow: {tuple(expected)}; onnxruntime: {found}")
assert tuple(expected) == (1, 31, 31, 1) and found == (1, 30, 30, 1)
PY
