"""The page of what was tried to break the package."""

import ast
import json
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(killed, half=(), status=0, different=()):
    return {"killed": killed, "half_files": half, "status": status, "different": different}


def test_a_run_that_ended_before_its_moment_is_no_kill(benchmark):
    """12 of 102 runs had ended, and were counted."""
    rows = benchmark("faults_page").kill_rows(
        {"one": [run(True), run(False)], "two": [run(True, half=["a"], status=2)]}
    )
    assert rows == [["one", 1, 0, 0, 0], ["two", 1, 1, 1, 0], ["all", 2, 1, 1, 0]]


def test_every_test_that_the_page_names_is_there(benchmark):
    for point, named in benchmark("faults_points").POINTS.items():
        file, name = named.split("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in names, point


def test_arrays_of_two_keras_files_are_compared_and_not_their_bytes(benchmark, tmp_path):
    """Its bytes hold names that count what a process has made, and the date."""
    import keras

    digests = set()
    for name in ("a", "b"):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name=name)
        model.save(tmp_path / f"{name}.keras")
        digests.add(benchmark("faults_outputs")._digest(tmp_path / f"{name}.keras"))
    assert len(digests) == 1
    model.layers[0].bias.assign_add([1.0, 0.0])
    model.save(tmp_path / "b.keras")
    assert benchmark("faults_outputs")._digest(tmp_path / "b.keras") not in digests


def graph_of(names, first, weight=2.0):
    """Return a graph that multiplies its input by two weights and adds both, by any names."""
    from onnx import TensorProto, helper

    x, y, a, b, one, other = names
    nodes = [
        helper.make_node("Mul", [x, one], [a]),
        helper.make_node("Mul", [x, other], [b]),
        helper.make_node("Sub", [a, b], [y]),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in (x, y)]
    weights = [
        helper.make_tensor(name, TensorProto.FLOAT, [1], [value])
        for name, value in ((one, 1.0), (other, weight))
    ]
    return helper.make_graph(
        [nodes[first], nodes[1 - first], nodes[2]], "g", *_each(values), weights
    )


def _each(values):
    return [values[0]], [values[1]]


def test_names_and_order_of_a_graph_are_not_what_it_computes(benchmark):
    content = benchmark("faults_outputs").onnx_content
    graph = content(graph_of("xyabcd", 0))
    assert content(graph_of("uvzwts", 1)) == graph
    assert content(graph_of("xyabcd", 0, weight=3.0)) != graph
    swapped = graph_of("xyabcd", 0)
    swapped.node[2].input[:] = ["b", "a"]
    assert content(swapped) != graph


def test_which_value_of_a_graph_is_a_copy_is_left_to_chance(benchmark):
    """tf2onnx gives the last state of a loop twice, once through an Identity, either of them."""
    from onnx import helper

    content, copied = benchmark("faults_outputs").onnx_content, graph_of("xyabcd", 0)
    copied.node.insert(1, helper.make_node("Identity", ["a"], ["copy"]))
    copied.node[3].input[0] = "copy"
    assert content(copied) == content(graph_of("xyabcd", 0))
    copied.node[3].input[:] = ["b", "copy"]
    assert content(copied) != content(graph_of("xyabcd", 0))


def test_an_export_that_was_given_once_more_is_whole_and_the_same(benchmark, tmp_path):
    """Killed when it was over it counted as half, and as different: its versions were one further.

    The manifest in the folder of an earlier version lists files that its successor has taken.
    """
    from tests.convert.conftest import write_classifier

    left, found = benchmark("faults_outputs"), []
    case = benchmark("faults_cases").Case("export", ("export",))
    for first in (1, 2):
        folder = tmp_path / f"{first}"
        write_classifier(folder / "a", (8, 8))
        manifest = json.loads((folder / "a" / "manifest.json").read_text())
        for version in (first, first + 1):
            if version > 1:
                shutil.copytree(folder / "a" / "1", folder / "a" / f"{version}")
            files = {name.replace("1/", f"{version}/"): x for name, x in manifest["files"].items()}
            record = {**manifest, "version": version, "files": {**files, "report.html": "0" * 64}}
            (folder / "a" / f"{version}" / "manifest.json").write_text(json.dumps(record))
        if first > 1:
            shutil.rmtree(folder / "a" / "1")
        record["files"].pop("report.html")
        (folder / "a" / "manifest.json").write_text(json.dumps(record))
        assert left.half_files(folder) == []
        found.append(left.outputs(case, folder))
    assert found[0] == found[1]
    assert sorted(found[0]) == ["a/version 1/model.onnx", "a/version 2/model.onnx"]
    (folder / "a" / "2" / "model.onnx").write_bytes(b"half")
    assert left.half_files(folder) == [str(folder / "a" / "2")]
