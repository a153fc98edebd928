"""A convolution to a few channels written as two makes the same image."""

import numpy as np
import pytest
from onnx import helper

from keras_dtl.export.graphs.narrow_convolution import split_narrow_convolutions
from keras_dtl.export.graphs.reach import measure_reach
from tests.export.graphs.small_models import model_of, run


def graph_of(kernel, bias=None, **attributes):
    constants = {"kernel": kernel} | ({} if bias is None else {"bias": bias})
    node = helper.make_node("Conv", ["image", *constants], ["output"], "convolution", **attributes)
    channels = kernel.shape[1] * attributes.get("group", 1)
    return model_of([node], (channels, kernel.shape[0]), constants)


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


@pytest.mark.parametrize("padding", [{"pads": [3, 3, 3, 3]}, {"pads": [4, 3, 2, 3]}, {}])
def test_tiles_need_overlap_no_more(padding):
    model = graph_of(np.ones((3, 24, 7, 7), "float32"), **padding)
    radius, *_ = measure_reach(model, 24)
    assert split_narrow_convolutions(model) == 1
    assert measure_reach(model, 24)[0] == radius
