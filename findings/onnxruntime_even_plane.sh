#!/usr/bin/env bash
# onnxruntime 1.23.2 (CPU): InstanceNormalization of an image that is even does not give 0.
#
# By the operator's definition an even plane minus its mean is 0. Seen: the mean of a float32 plane
# of 1024 x 1024 is summed so that it misses the plane's own value, and the small difference is
# divided by sqrt(epsilon): 0.155 for a plane of 0.7, where 64 x 64 pixels give 0.0006.
# GlobalAveragePool of a bright plane of 12 megapixels misses its value by 4.5 of 250.3. Two means,
# over the width and then over the height, taken off before, give 0 at the same size.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "onnxruntime==1.23.2" "onnx==1.19.1" "numpy==2.3.4"
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def run(nodes, image):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "y")]
    ones = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    zeros = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [ones, zeros])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": image})[0]


normalize = helper.make_node("InstanceNormalization", ["x", "one", "zero"], ["y"], epsilon=1e-5)
twice = [
    helper.make_node("ReduceMean", ["x"], ["w"], axes=[3]),
    helper.make_node("ReduceMean", ["w"], ["h"], axes=[2]),
    helper.make_node("Sub", ["x", "h"], ["c"]),
    helper.make_node("InstanceNormalization", ["c", "one", "zero"], ["y"], epsilon=1e-5),
]
print("onnxruntime", onnxruntime.__version__)
largest = {}
for side in (64, 1024):
    plane = np.full((1, 1, side, side), 0.7, "float32")
    largest[side] = float(np.abs(run([normalize], plane)).max())
    print(f"even plane of {side} x {side}: largest output {largest[side]:.6f}, 0 by definition")
mended = float(np.abs(run(twice, np.full((1, 1, 1024, 1024), 0.7, "float32"))).max())
print(f"mean by rows, then columns, taken off before: {mended:.6f}")
bright = np.full((1, 1, 3000, 4000), 250.3, "float32")
mean = helper.make_node("GlobalAveragePool", ["x"], ["y"])
missed = abs(float(run([mean], bright).squeeze()) - 250.3)
print(f"GlobalAveragePool of 250.3 over 12 megapixels misses it by {missed:.3f}")
assert largest[64] < 1e-3 and largest[1024] > 0.1, largest
assert mended < 1e-3, mended
assert missed > 0.5, missed
PY
