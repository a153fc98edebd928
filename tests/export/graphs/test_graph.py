"""The index of an ONNX graph, against a graph small enough to read."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from keras_dtl.export.graphs.graph import GraphIndex, attributes, remove_unused, sort_nodes


def diamond():
    """x -> a -> (b, c) -> y, and a node that nothing needs."""
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["a"]),
        helper.make_node("LeakyRelu", ["a"], ["b"], alpha=0.5),
        helper.make_node("Neg", ["a"], ["c"]),
        helper.make_node("Sub", ["b", "c"], ["y"]),
        helper.make_node("Add", ["a", "three"], ["unused"]),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy"]
    constants = {"two": [2.0, 2.0], "three": [3.0]}
    tensors = [
        numpy_helper.from_array(np.array(value, "float32"), name)
        for name, value in constants.items()
    ]
    graph = helper.make_graph(nodes, "diamond", values[:1], values[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_makers_and_users_are_found_by_kind():
    index = GraphIndex(diamond().graph)
    assert index.maker("a").op_type == index.maker("a", "Mul").op_type == "Mul"
    assert index.maker("a", "Add") is None
    assert index.maker("x") is None
    assert index.sole_user("b", "Sub").output == ["y"]
    assert index.sole_user("b", "Add") is None
    assert index.sole_user("a") is None  # it has three
    assert index.sole_user("y") is None


def test_constants_are_told_from_what_is_computed():
    index = GraphIndex(diamond().graph)
    np.testing.assert_array_equal(index.constant("two"), [2, 2])
    assert index.constant_shape("two") == (2,)
    assert index.constant("a") is index.constant_shape("a") is None


def test_attributes_are_those_that_are_stated():
    index = GraphIndex(diamond().graph)
    assert attributes(index.maker("b")) == {"alpha": 0.5}
    assert attributes(index.maker("c")) == {}


def test_what_no_output_needs_is_removed():
    model = diamond()
    remove_unused(model.graph)
    assert [node.op_type for node in model.graph.node] == ["Mul", "LeakyRelu", "Neg", "Sub"]
    assert [item.name for item in model.graph.initializer] == ["two"]


def test_what_a_branch_takes_from_around_it_stays():
    model = diamond()
    inner = [helper.make_node("Add", ["b", "three"], ["d"])]
    value = helper.make_tensor_value_info("d", TensorProto.FLOAT, None)
    branches = {
        f"{kind}_branch": helper.make_graph(inner, kind, [], [value]) for kind in ("then", "else")
    }
    chosen = helper.make_node("If", ["true"], ["y"], **branches)
    model.graph.node[3].CopyFrom(chosen)
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "true"))
    remove_unused(model.graph)
    assert [node.op_type for node in model.graph.node] == ["Mul", "LeakyRelu", "If"]
    assert [item.name for item in model.graph.initializer] == ["two", "three", "true"]
    onnx.checker.check_model(model, full_check=True)


def test_nodes_come_after_what_they_take():
    model = diamond()
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    sort_nodes(model.graph)
    places = {name: at for at, node in enumerate(model.graph.node) for name in node.output}
    assert len(model.graph.node) == 5
    assert places["a"] < min(places["b"], places["c"])
    assert places["y"] > max(places["b"], places["c"])
    onnx.checker.check_model(model, full_check=True)


def test_nodes_in_order_stay_where_they_are():
    model = diamond()
    before = [node.output[0] for node in model.graph.node]
    sort_nodes(model.graph)
    assert [node.output[0] for node in model.graph.node] == before
