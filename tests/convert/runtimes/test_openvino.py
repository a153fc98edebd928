"""OpenVINO beside onnxruntime: the same numbers, and a clear word where it cannot give them."""

import dataclasses
import json
import os
import shutil
import sys

import numpy as np
import onnx
import openvino
import pytest
from onnx import TensorProto, helper

from keras_dtl.convert import (
    ArtifactError,
    DeviceError,
    convert_folder,
    load_artifact,
)
from keras_dtl.convert.runtimes import openvino_session, providers, remembered
from keras_dtl.convert.runtimes.openvino_session import OpenVINOSession
from keras_dtl.export.graphs.served_graph import served_graph
from keras_dtl.files import sha256
from keras_dtl.images import read_image
from keras_dtl.manifest import Tensor, read_manifest, write_manifest
from tests.convert.conftest import write_artifact, write_negative


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_DTL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_openvino_computes_what_onnxruntime_does(classifier_folder, classifier):
    artifact = load_artifact(classifier_folder, "openvino")
    assert (artifact.device, artifact.runtime, artifact.provider) == (
        "openvino",
        "openvino",
        "OpenVINO",
    )
    images = noise(5, 8, 8, 3)
    np.testing.assert_allclose(artifact(images), classifier(images), atol=1e-6)
    assert [output.name for output in artifact.session.get_outputs()] == ["probabilities"]


def test_images_of_any_size_go_through_one_compiled_model(negative, monkeypatch):
    compiled = []
    compile_graph = openvino.Core.compile_model
    monkeypatch.setattr(
        openvino.Core,
        "compile_model",
        lambda core, *rest: compiled.append(rest) or compile_graph(core, *rest),
    )
    artifact = load_artifact(negative.path, "openvino", threads=2)
    for shape in ((1, 6, 7, 3), (5, 8, 12, 3), (2, 33, 4, 3)):
        images = noise(*shape)
        np.testing.assert_array_equal(artifact(images), 255 - images)
    # Once for images that all threads compute together, once for those side by side.
    assert len(compiled) == 2


def test_a_batch_is_divided_among_streams_and_put_together_in_order(negative):
    artifact = load_artifact(negative.path, "openvino", threads=3)
    parts = []

    class Request:
        def __init__(self, request):
            self.request = request

        def __getattr__(self, name):
            return getattr(self.request, name)

        def start_async(self, feeds, **options):
            parts.append(len(feeds["image"]))
            self.request.start_async(feeds, **options)

    requests = artifact.session._requests(3)
    artifact.session.requests = {
        1: [Request(artifact.session.requests[1][0])],
        3: [Request(one) for one in requests],
    }
    for count, expected in ((8, [2, 3, 3]), (2, [2])):
        parts.clear()
        images = noise(count, 4, 4, 3)
        np.testing.assert_array_equal(artifact(images), 255 - images)
        assert sorted(parts) == expected


def test_what_is_not_a_batch_is_not_divided(tmp_path):
    mean = helper.make_node("ReduceMean", ["float", "axes"], ["mean"], keepdims=0)
    folder = write_artifact(
        tmp_path / "mean",
        [helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT), mean],
        (Tensor("mean", "float32", (3,)),),
        "regression",
        constants=[helper.make_tensor("axes", TensorProto.INT64, [3], [0, 1, 2])],
    )
    artifact = load_artifact(folder, "openvino", threads=2)
    images = noise(4, 3, 3, 3)
    np.testing.assert_allclose(artifact(images), images.mean((0, 1, 2)), rtol=1e-5)


def test_folders_are_converted_by_openvino_in_threads_and_processes(negative, photos, tmp_path):
    artifact = load_artifact(negative.path, "openvino")
    for engine in ("threads", "processes"):
        report = convert_folder(artifact, photos, tmp_path / engine, engine=engine, workers=1)
        assert (report.converted, len(report.failed)) == (4, 1)
        np.testing.assert_array_equal(
            read_image(tmp_path / engine / "a.png"), 255 - read_image(photos / "a.png")
        )
    assert json.loads((tmp_path / "threads" / "report.json").read_text())["provider"] == "OpenVINO"


def test_other_numbers_are_made_again_and_the_same_are_not(negative, photos, tmp_path):
    convert_folder(negative, photos, tmp_path / "out")
    same = convert_folder(load_artifact(negative.path, "openvino"), photos, tmp_path / "out")
    assert (same.converted, same.skipped) == (0, 4)
    folder = shutil.copytree(negative.path, tmp_path / "copy")
    manifest = read_manifest(folder)
    lossy = {"int8": {"file": manifest.onnx_file, "quality": {}}}
    write_manifest(folder, dataclasses.replace(manifest, precisions=lossy))
    keys = [
        load_artifact(folder, device, precision="int8", unmeasured=True).key
        for device in ("cpu", "openvino")
    ]
    assert keys[0] == negative.key != keys[1]


def test_a_lossy_precision_is_refused_until_it_was_measured(negative, tmp_path):
    with pytest.raises(ArtifactError, match=r"never measured.*--runtime openvino"):
        load_artifact(negative.path, "openvino", precision="bfloat16")
    folder = shutil.copytree(negative.path, tmp_path / "copy")
    manifest = read_manifest(folder)
    record = {"file": manifest.onnx_file, "quality": {"psnr": 55.0}}
    runtimes = {"openvino": {"bfloat16": record}}
    write_manifest(folder, dataclasses.replace(manifest, runtimes=runtimes))
    computes = openvino_session.computes("bfloat16")
    if not computes:
        pytest.skip("this processor has no bfloat16")
    artifact = load_artifact(folder, "openvino", precision="bfloat16")
    assert artifact.quality == {"psnr": 55.0}


def test_bfloat16_belongs_to_openvino(negative):
    with pytest.raises(ArtifactError, match="choose the device openvino"):
        load_artifact(negative.path, "cpu", precision="bfloat16")


def test_a_processor_without_the_instructions_is_refused(negative, monkeypatch):
    monkeypatch.setattr(openvino.Core, "get_property", lambda *rest: ["FP32", "INT8"])
    with pytest.raises(DeviceError, match=r"no instructions for it \(AVX512_BF16 or AMX\)"):
        load_artifact(negative.path, "openvino", precision="bfloat16", unmeasured=True)
    assert not openvino_session.computes("bfloat16")
    assert openvino_session.computes("float32")


def test_openvino_that_is_not_installed_is_named(negative, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DeviceError, match=r"keras_dtl\[openvino\]"):
        load_artifact(negative.path, "openvino")


def test_the_provider_has_a_name_of_its_own(negative, monkeypatch, caplog):
    with pytest.raises(DeviceError, match="pip install onnxruntime-openvino"):
        load_artifact(negative.path, "openvino-provider")
    monkeypatch.setattr(providers, "version", lambda package: "1.30")
    load_artifact(negative.path, "openvino")
    assert "is the device openvino-provider" in caplog.text


def test_a_graph_that_openvino_computes_otherwise_is_refused(negative, monkeypatch):
    run = OpenVINOSession.run
    monkeypatch.setattr(OpenVINOSession, "run", lambda *rest: [array ^ 4 for array in run(*rest)])
    with pytest.raises(ArtifactError, match=r"computes something else.*--unmeasured"):
        load_artifact(negative.path, "openvino")
    assert load_artifact(negative.path, "openvino", unmeasured=True).device == "openvino"


def test_graphs_are_compared_once_on_a_machine(negative, cache, monkeypatch):
    load_artifact(negative.path, "openvino")
    monkeypatch.setattr(
        "keras_dtl.convert.runtimes.agreement.require_agreement", None
    )  # would fail
    assert load_artifact(negative.path, "openvino").device == "openvino"


def test_a_compiled_model_is_taken_up_again(negative, cache, monkeypatch):
    load_artifact(negative.path, "openvino")
    monkeypatch.setattr(openvino.Core, "compile_model", None)  # would fail
    artifact = load_artifact(negative.path, "openvino")
    images = noise(2, 4, 4, 3)
    np.testing.assert_array_equal(artifact(images), 255 - images)


@pytest.mark.parametrize("damage", ["bits", "version", "graph"])
def test_a_compiled_model_that_does_not_fit_is_made_again(tmp_path, cache, monkeypatch, damage):
    folder = write_negative(tmp_path / "negative")
    load_artifact(folder, "openvino")
    blobs = list(cache.rglob("*.blob"))
    assert blobs
    if damage == "bits":
        for blob in blobs:
            blob.write_bytes(blob.read_bytes()[:-1] + b"\0")
    elif damage == "version":
        monkeypatch.setattr(openvino_session, "version", lambda *name: "2030.1")
    else:
        other = write_negative(tmp_path / "other", white=254)
        for path in ("manifest.json", "1/model.onnx"):
            shutil.copyfile(other / path, folder / path)
    images = noise(2, 4, 4, 3) // 2
    white = 254 if damage == "graph" else 255
    artifact = load_artifact(folder, "openvino", unmeasured=True)
    np.testing.assert_array_equal(artifact(images), white - images)


def test_a_blob_that_openvino_refuses_is_compiled_again(negative, cache, monkeypatch):
    monkeypatch.setattr(remembered, "recall_blob", lambda *rest: b"of another machine")
    images = noise(2, 4, 4, 3)
    artifact = load_artifact(negative.path, "openvino")
    np.testing.assert_array_equal(artifact(images), 255 - images)


def test_a_graph_changed_on_disk_is_refused(tmp_path, cache):
    folder = write_negative(tmp_path / "negative")
    load_artifact(folder, "openvino")
    with open(folder / "1" / "model.onnx", "ab") as file:
        file.write(b"\0")
    with pytest.raises(ValueError, match="changed or damaged"):
        load_artifact(folder, "openvino")


def test_findings_are_kept_for_what_they_are_about(cache):
    remembered.remember("trial", ["a", 1], {"found": [1.5]})
    assert remembered.recall("trial", ["a", 1]) == {"found": [1.5]}
    assert remembered.recall("trial", ["a", 2]) is None
    (file,) = cache.rglob("*.json")
    file.write_text('{"about": ["b"], "found": 1}')
    assert remembered.recall("trial", ["a", 1]) is None
    file.write_text("{")
    assert remembered.recall("trial", ["a", 1]) is None


def test_only_the_newest_compiled_models_are_kept(cache, monkeypatch):
    monkeypatch.setattr(remembered, "_MOST_BLOBS", 2)
    for index in range(4):
        remembered.remember_blob("openvino", [index], b"%d" % index)
        (file,) = [
            each for each in cache.rglob("*.blob") if each.read_bytes().endswith(b"%d" % index)
        ]
        os.utime(file, (index, index))
    kept = [remembered.recall_blob("openvino", [index]) for index in range(4)]
    assert kept == [None, None, b"2", b"3"]


def test_a_cache_that_cannot_be_written_is_done_without(negative, monkeypatch):
    monkeypatch.setenv("KERAS_DTL_CACHE", "/dev/null/nowhere")
    images = noise(1, 4, 4, 3)
    np.testing.assert_array_equal(load_artifact(negative.path, "openvino")(images), 255 - images)


def test_artifacts_of_before_name_no_runtimes(negative, tmp_path):
    folder = shutil.copytree(negative.path, tmp_path / "old")
    value = json.loads((folder / "manifest.json").read_text())
    del value["runtimes"]
    (folder / "manifest.json").write_text(json.dumps(value))
    assert read_manifest(folder).runtimes == {}


def normalization_of(sizes):
    """Return a graph that normalises the planes of images, for small and for large ones."""
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "InstanceNormalization", ["first", "scale", "bias"], ["normal"], name="normal"
        ),
        helper.make_node("Transpose", ["normal"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Clip", ["last", "low", "high"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["result"], to=TensorProto.UINT8),
    ]
    values = {"scale": [40.0] * 3, "bias": [128.0] * 3}
    constants = [helper.make_tensor(k, TensorProto.FLOAT, [3], v) for k, v in values.items()]
    limits = {"low": [0.0], "high": [255.0]}
    constants += [helper.make_tensor(k, TensorProto.FLOAT, [], v) for k, v in limits.items()]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.UINT8, ["N", *sizes, 3])
        for name in ("image", "result")
    ]
    graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_choices_between_normalisations_are_not_left_to_openvino(tmp_path):
    outputs = (Tensor("result", "uint8", (None, None, None, 3), (0.0, 255.0)),)
    folder = write_negative(tmp_path / "a")
    manifest = dataclasses.replace(read_manifest(folder), outputs=outputs)
    served = served_graph(normalization_of("HW"), manifest)
    onnx.save_model(served, folder / "1" / "model.onnx")
    digest = sha256(folder / "1" / "model.onnx")
    write_manifest(folder, dataclasses.replace(manifest, files={"1/model.onnx": digest}))
    model = openvino.Core().read_model(folder / "1" / "model.onnx")
    assert "If" in {op.get_type_name() for op in model.get_ops()}
    openvino_session.take_plain_normalizations(model)
    assert "If" not in {op.get_type_name() for op in model.get_ops()}
    artifacts = [load_artifact(folder, device) for device in ("cpu", "openvino")]
    for size in ((8, 12), (300, 300)):
        exact, received = (artifact(noise(1, *size, 3)).astype(int) for artifact in artifacts)
        assert np.abs(exact - received).max() <= 1
        assert exact.std() > 30
