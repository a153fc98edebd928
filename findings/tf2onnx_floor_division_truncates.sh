#!/usr/bin/env bash
# tf2onnx 1.17.0: whole numbers are divided towards 0 in ONNX, where TensorFlow divides downwards.
#
# FloorDiv of int32 becomes Div, which of whole numbers is cut in ONNX, and FloorMod becomes
# x - (x / y) * y of it. Seen with onnxruntime 1.22.1: [-3, -1, 1, 3] // 2 gives [-1, 0, 0, 1] where
# TensorFlow 2.21.0 gives [-2, -1, 0, 1], and [-3, -1, 1, 3] % 3 gives [0, -1, 1, 0] in place of
# [0, 2, 1, 0]. Numbers of 0 and more are right, as are floats.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "tensorflow==2.21.0" "numpy==2.3.4" "tf2onnx==1.17.0" \
    "onnx==1.19.1" "onnxruntime==1.22.1"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
import tensorflow as tf
import tf2onnx

print("tf2onnx", tf2onnx.__version__, "onnxruntime", onnxruntime.__version__)
OPERATIONS = {"// 2": lambda x: x // 2, "% 3": lambda x: x % 3}


def both(operation, numbers):
    """Return what TensorFlow and onnxruntime make of numbers."""
    signature = [tf.TensorSpec((None,), numbers.dtype, name="x")]
    function = tf.function(operation, signature)
    model, _ = tf2onnx.convert.from_function(function, signature, opset=18)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return function(numbers).numpy().tolist(), session.run(None, {"x": numbers})[0].tolist()


signed = np.array([-3, -1, 1, 3], "int32")
found = {name: both(operation, signed) for name, operation in OPERATIONS.items()}
for name, (expected, received) in found.items():
    print(f"{signed.tolist()} {name}: TensorFlow {expected}, ONNX {received}")
assert found["// 2"] == ([-2, -1, 0, 1], [-1, 0, 0, 1]), found
assert found["% 3"] == ([0, 2, 1, 0], [0, -1, 1, 0]), found
for numbers in (np.array([1, 3, 5], "int32"), signed.astype("float32")):
    for operation in OPERATIONS.values():
        expected, received = both(operation, numbers)
        assert expected == received, (expected, received)
print("numbers of 0 and more, and floats: the same")
PY
