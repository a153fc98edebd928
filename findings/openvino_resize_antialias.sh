#!/usr/bin/env bash
# OpenVINO 2025.3.0 (CPU) reads ONNX Resize (opset 18) with antialias=1 and computes it without.
#
# The attribute decides whether shrinking averages over all pixels, as Pillow and onnxruntime do, or
# picks a few. Seen: no error and no warning; the output equals onnxruntime's with antialias=0, and
# differs from that with antialias=1 by far more than rounding.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet \
    "openvino==2025.3.0" "onnxruntime==1.23.2" "onnx==1.19.1" "numpy==2.2.6"
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper


def shrinking(antialias):
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [4], [1, 1, 16, 16])
    node = helper.make_node(
        "Resize", ["x", "", "", "sizes"], ["y"], mode="linear",
        coordinate_transformation_mode="half_pixel", antialias=antialias,
    )
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 128, 128])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 16, 16])
    graph = helper.make_graph([node], "g", [x], [y], [sizes])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


image = np.random.default_rng(0).random((1, 1, 128, 128), "float32")
reference = {}
for antialias in (0, 1):
    model = shrinking(antialias)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    reference[antialias] = session.run(None, {"x": image})[0]
path = f"{sys.argv[1]}/resize.onnx"
onnx.save(shrinking(1), path)
core = openvino.Core()
compiled = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
found = compiled(image)[0]
to_plain, to_smooth = (float(np.abs(found - reference[a]).max()) for a in (0, 1))
print("openvino", openvino.__version__)
print(f"antialias=1 beside onnxruntime's antialias=0: {to_plain:.6f}; beside 1: {to_smooth:.6f}")
assert to_plain < 1e-4 and to_smooth > 0.1
PY
