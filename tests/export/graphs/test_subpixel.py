"""A transposed convolution written as an ordinary one gives the same image."""

import itertools

import numpy as np
import pytest
from onnx import helper

from keras_dtl.export.graphs.subpixel import replace_transposed_convolutions
from tests.export.graphs.small_models import model_of, run


def graph_of(kernel, crop=None, bias=None, **attributes):
    """One transposed convolution, and the crop of rows and columns that may follow it."""
    constants = {"kernel": kernel} | ({} if bias is None else {"bias": bias})
    nodes = [helper.make_node("ConvTranspose", ["image", *constants], ["full"], **attributes)]
    if crop is not None:
        constants |= {
            "starts": np.array([0, *crop[0]]),
            "ends": np.array([2**31 - 1, *crop[1]]),
            "axes": np.array([0, 2, 3]),
        }
        nodes.append(helper.make_node("Slice", ["full", "starts", "ends", "axes"], ["cut"]))
    nodes.append(helper.make_node("Relu", [nodes[-1].output[0]], ["output"]))
    return model_of(nodes, kernel.shape[:2], constants)


CASES = [
    {"strides": [stride, stride], "pads": pads, "output_padding": more}
    for stride, pads, more in itertools.product(
        (2, 3), ([0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]), ([0, 0], [1, 0])
    )
]


@pytest.mark.parametrize("size", [(3, 3), (4, 4), (2, 5)])
@pytest.mark.parametrize("crop", [None, ([1, 0], [2**31 - 1, -1])])
def test_it_is_the_same_image(size, crop):
    random = np.random.default_rng(0)
    kernel = random.normal(size=(3, 2, *size)).astype("float32")
    bias = random.normal(size=2).astype("float32")
    image = random.normal(size=(2, 3, 5, 4)).astype("float32")
    for attributes in CASES:
        model = graph_of(kernel, crop, bias, **attributes)
        expected = run(model, image)
        assert replace_transposed_convolutions(model) == 1
        assert "ConvTranspose" not in {node.op_type for node in model.graph.node}
        np.testing.assert_allclose(run(model, image), expected, atol=1e-5)


def test_what_doubles_an_image_needs_no_crop():
    """The one of the generators: its kernel of three by three, cut at the beginning."""
    kernel = np.random.default_rng(0).normal(size=(3, 2, 3, 3)).astype("float32")
    model = graph_of(kernel, ([1, 1], [2**31 - 1] * 2), strides=[2, 2])
    replace_transposed_convolutions(model)
    assert [node.op_type for node in model.graph.node] == ["Conv", "DepthToSpace", "Relu"]


@pytest.mark.parametrize(
    "attributes",
    [{"strides": [2, 1]}, {"strides": [2, 2], "dilations": [2, 2]}],
)
def test_others_are_left(attributes):
    model = graph_of(np.ones((3, 2, 3, 3), "float32"), **attributes)
    assert replace_transposed_convolutions(model) == 0
    assert model.graph.node[0].op_type == "ConvTranspose"
