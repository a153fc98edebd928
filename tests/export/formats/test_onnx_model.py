"""The ONNX graph as a stranger would see it."""

import json
import os

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tf2onnx

from keras_dtl.export import export_model
from keras_dtl.export.deployable import Deployable
from keras_dtl.export.formats.onnx_model import onnx_graph
from keras_dtl.export.graphs.graph import remove_unused
from tests.export.conftest import CLASSES


def axes(value):
    return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]


@pytest.fixture
def classifier_graph(classifier_artifact):
    return onnx.load(classifier_artifact / "1" / "model.onnx")


@pytest.fixture
def generator_graph(generator_artifact):
    return onnx.load(generator_artifact / "1" / "model.onnx")


def test_inputs_and_outputs_have_readable_names_and_axes(classifier_graph, generator_graph):
    def interface(graph):
        values = [*graph.graph.input, *graph.graph.output]
        return {value.name: axes(value) for value in values}

    assert interface(classifier_graph) == {
        "image": ["batch", 12, 10, 3],
        "probabilities": ["batch", 3],
    }
    assert interface(generator_graph) == {
        "image": ["batch", "height", "width", 3],
        "image_out": ["batch", "height", "width", 3],
    }


def test_axes_of_several_inputs_are_told_apart(two_inputs_artifact):
    graph = onnx.load(two_inputs_artifact / "1" / "model.onnx").graph
    assert [axes(value) for value in graph.input] == [
        ["batch", "input_0_length", 6],
        ["batch", 4],
    ]
    assert axes(graph.output[1]) == ["batch", "input_0_length", 6]


def test_graph_carries_metadata_and_the_opset_asked_for(classifier_graph):
    metadata = {entry.key: entry.value for entry in classifier_graph.metadata_props}
    assert metadata["task"] == "classification"
    assert tuple(json.loads(metadata["classes"])) == CLASSES
    assert {"keras_dtl", "keras", "tensorflow", "tf2onnx"} <= set(metadata)
    assert {entry.domain: entry.version for entry in classifier_graph.opset_import}[""] == 18
    assert classifier_graph.producer_name == "keras_dtl"
    assert classifier_graph.graph.name == "classifier"


def test_graph_is_valid_and_free_of_training(classifier_graph, generator_graph):
    for graph in (classifier_graph, generator_graph):
        onnx.checker.check_model(graph, full_check=True)
        kinds = [node.op_type for node in graph.graph.node]
        # Batch normalisation is folded into the convolution before it; dropout is gone.
        assert not {"Dropout", "BatchNormalization", "RandomUniform", "If", "Loop"} & set(kinds)
    assert len(classifier_graph.graph.node) <= 12
    assert "unk__" not in str(classifier_graph) + str(generator_graph)


def test_no_constant_is_left_that_nothing_takes(no_saved_model, tmp_path):
    # Its constants are folded by tf2onnx; onnxruntime would warn of what is left of them.
    scaled = keras.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0])
    image = keras.Input((8, 8, 3), dtype="uint8", name="image")
    x = keras.layers.Conv2D(4, 3, use_bias=False)(scaled(keras.layers.Rescaling(1 / 255)(image)))
    probabilities = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(x))
    export_model(keras.Model(image, probabilities), tmp_path / "a", task="classification")
    graph = onnx.load(tmp_path / "a" / "1" / "model.onnx").graph
    before = [item.name for item in graph.initializer]
    remove_unused(graph)
    assert [item.name for item in graph.initializer] == before


def test_the_graph_is_never_copied_to_optimise_it(classifier, monkeypatch):
    copied = []
    monkeypatch.setattr(
        tf2onnx.graph.Graph, "__deepcopy__", lambda *_: copied.append(1), raising=False
    )
    assert onnx_graph(Deployable(classifier), 18).graph.node
    assert copied == []


def test_an_optimisation_that_fails_is_left_out(classifier, monkeypatch, caplog):
    def fail(self, graph):
        graph.reset_nodes(graph.get_nodes()[:1])  # what it leaves behind is not gone on with
        raise ValueError("no way to go on")

    optimizer = tf2onnx.optimizer.MergeDuplicatedNodesOptimizer
    monkeypatch.setattr(optimizer, "_optimize", fail)
    graph = onnx_graph(Deployable(classifier), 18)
    assert "Failed to apply merge_duplication" in caplog.text
    assert "Traceback" not in caplog.text
    images = np.random.default_rng(0).integers(0, 256, (2, 12, 10, 3), "uint8")
    (received,) = onnxruntime.InferenceSession(graph.SerializeToString()).run(
        None, {"image": images}
    )
    np.testing.assert_allclose(received, classifier(images), atol=1e-6)


@pytest.mark.parametrize("given", [None, "TRUE"])
def test_what_tf2onnx_is_told_by_the_user_stays(classifier, monkeypatch, given):
    name = tf2onnx.constants.ENV_TF2ONNX_CATCH_ERRORS
    monkeypatch.setattr(os, "environ", {name: given} if given else {})
    onnx_graph(Deployable(classifier), 18)
    assert os.environ.get(name) == given
