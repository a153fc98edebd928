"""ONNX models of a few nodes, from images to images, and what onnxruntime makes of them."""

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def model_of(nodes, channels, constants):
    """Return a model from `image` to `output`.

    Args:
        nodes: Its nodes.
        channels: Of both.
        constants: Arrays by name.
    """
    values = [
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["N", count, f"{name}_h", f"{name}_w"]
        )
        for name, count in zip(("image", "output"), channels, strict=True)
    ]
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def run(model, image):
    onnx.checker.check_model(model, full_check=True)
    taken = {name for node in model.graph.node for name in node.input}
    assert {constant.name for constant in model.graph.initializer} <= taken  # else it would warn
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"image": image})[0]
