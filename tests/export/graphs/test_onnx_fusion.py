"""The graphs of the generators: how many nodes, and of what kinds."""

from collections import Counter

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from keras_dtl.backbones import resnet_generator, unet
from keras_dtl.export.deployable import Deployable
from keras_dtl.export.formats.onnx_model import onnx_graph
from keras_dtl.export.graphs.onnx_fusion import fuse_instance_normalizations
from keras_dtl.methods.translation.translation import deployable_generator

NORMALIZATIONS = {"resnet": 9, "resized": 9, "unet": 5}
MOST_NODES = {"resnet": 48, "resized": 52, "unet": 35}


def generators():
    return {
        "resnet": resnet_generator((16, 16, 3), filters=4, blocks=2),
        "resized": resnet_generator((16, 16, 3), filters=4, blocks=2, upsampling="resize"),
        "unet": unet((16, 16, 3), filters=4),
    }


@pytest.fixture(scope="module")
def graphs():
    """`{name: (deployable model, fused graph, how many were fused)}`, with random weights."""
    made = {}
    for name, generator in generators().items():
        random = np.random.default_rng(0)
        for weight in generator.trainable_weights:
            weight.assign(random.uniform(-0.5, 0.5, weight.shape))
        model = deployable_generator(generator, name)
        graph = onnx_graph(Deployable(model), 18)
        made[name] = model, graph, fuse_instance_normalizations(graph)
    return made


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_each_normalisation_is_one_node(graphs, name):
    _, graph, fused = graphs[name]
    kinds = Counter(node.op_type for node in graph.graph.node)
    assert fused == kinds["InstanceNormalization"] == NORMALIZATIONS[name]
    assert not {"ReduceMean", "Sqrt", "Reciprocal"} & set(kinds)
    assert len(graph.graph.node) <= MOST_NODES[name]
    onnx.checker.check_model(graph, full_check=True)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_layout_changes_at_the_ends_alone(graphs, name):
    kinds = [node.op_type for node in graphs[name][1].graph.node]
    convolutions = [i for i, kind in enumerate(kinds) if kind in ("Conv", "ConvTranspose")]
    transposes = [i for i, kind in enumerate(kinds) if kind == "Transpose"]
    assert len(transposes) == 2
    assert transposes[0] < convolutions[0] and transposes[1] > convolutions[-1]


@pytest.mark.parametrize("name", NORMALIZATIONS)
@pytest.mark.parametrize("shape", [(1, 16, 16, 3), (3, 32, 48, 3)])
def test_fused_graph_gives_the_images_of_keras(graphs, name, shape):
    import onnxruntime

    model, graph, _ = graphs[name]
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    x = np.random.default_rng(1).integers(0, 256, shape).astype("uint8")
    expected = np.asarray(model(x)).astype(int)
    assert expected.std() > 20
    assert np.abs(session.run(None, {"image": x})[0] - expected).max() <= 1


def hand_made(axes=(2, 3), channels=2, factor_shape=(1, 2, 1, 1)):
    """A convolution and the arithmetic of a normalisation over some axes."""
    constants = {
        "kernel": np.ones((channels, 1, 1, 1), "float32"),
        "axes": np.array(axes),
        "epsilon": np.float32(1e-5),
        "factor": np.full(factor_shape, 2, "float32"),
    }
    nodes = [
        ("Conv", ["image", "kernel"], "x"),
        ("ReduceMean", ["x", "axes"], "mean"),
        ("Sub", ["x", "mean"], "centred"),
        ("Mul", ["centred", "centred"], "square"),
        ("ReduceMean", ["square", "axes"], "variance"),
        ("Add", ["variance", "epsilon"], "total"),
        ("Sqrt", ["total"], "root"),
        ("Reciprocal", ["root"], "inverse"),
        ("Mul", ["centred", "inverse"], "standard"),
        ("Mul", ["standard", "factor"], "y"),
    ]
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, [output], name=output) for kind, inputs, output in nodes],
        "hand_made",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("n", 1, "h", "w"))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def test_factor_becomes_part_of_the_node():
    model = hand_made()
    assert fuse_instance_normalizations(model) == 1
    assert [node.op_type for node in model.graph.node] == ["Conv", "InstanceNormalization"]
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    np.testing.assert_array_equal(constants["y/scale"], [2, 2])


def test_other_axes_stay_as_they_are():
    model = hand_made(axes=(1, 2, 3))
    assert fuse_instance_normalizations(model) == 0
    assert len(model.graph.node) == 10


def test_factor_of_each_position_stays_outside():
    model = hand_made(factor_shape=(1, 1, 2, 2))
    assert fuse_instance_normalizations(model) == 1
    assert [node.op_type for node in model.graph.node][-2:] == ["InstanceNormalization", "Mul"]
