"""A convolution to a few channels written as two makes the same image."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from keras_dtl.export.graphs.narrow_convolution import split_narrow_convolutions


def graph_of(kernel, bias=None, **attributes):
    constants = {"kernel": kernel} | ({} if bias is None else {"bias": bias})
    node = helper.make_node("Conv", ["image", *constants], ["output"], "convolution", **attributes)
    channels = kernel.shape[1] * attributes.get("group", 1)
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", count, *sizes])
        for name, count, sizes in (
            ("image", channels, ("H", "W")),
            ("output", kernel.shape[0], ("h", "w")),
        )
    ]
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph([node], "graph", values[:1], values[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def run(model, image):
    onnx.checker.check_model(model, full_check=True)
    taken = {name for node in model.graph.node for name in node.input}
    assert {constant.name for constant in model.graph.initializer} <= taken  # else it would warn
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"image": image})[0]


@pytest.mark.parametrize("filters", [1, 2, 3])
@pytest.mark.parametrize("size", [(7, 7), (9, 5), (4, 8)])
@pytest.mark.parametrize(
    "padding",
    [
        {},
        {"pads": [3, 1, 0, 2]},
        *({"auto_pad": kind} for kind in ("SAME_UPPER", "SAME_LOWER", "VALID")),
    ],
)
@pytest.mark.parametrize("has_bias", [False, True])
def test_it_is_the_same_image(filters, size, padding, has_bias):
    random = np.random.default_rng(0)
    kernel = random.normal(size=(filters, 24, *size)).astype("float32")
    bias = random.normal(size=filters).astype("float32") if has_bias else None
    image = random.normal(size=(2, 24, 11, 10)).astype("float32")
    model = graph_of(kernel, bias, **padding)
    expected = run(model, image)
    assert split_narrow_convolutions(model) == 1
    assert [node.op_type for node in model.graph.node] == ["Conv", "Conv"]
    np.testing.assert_allclose(run(model, image), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        ((16, 24, 7, 7), {}),  # nothing is wasted
        ((3, 24, 7, 1), {}),  # of columns already
        ((3, 24, 7, 7), {"strides": [2, 2]}),
        ((3, 24, 7, 7), {"dilations": [2, 2]}),
        ((3, 24, 7, 7), {"group": 3}),
    ],
)
def test_others_are_left(shape, attributes):
    model = graph_of(np.ones(shape, "float32"), **attributes)
    before = model.SerializeToString()
    assert split_narrow_convolutions(model) == 0
    assert model.SerializeToString() == before
