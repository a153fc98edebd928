"""Opening an artifact and running it."""

import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest

from keras_dtl.convert import ArtifactError, DeviceError, load_artifact
from keras_dtl.files import sha256
from keras_dtl.manifest import ManifestError, Tensor, read_manifest, write_manifest
from tests.convert.conftest import CLASSES, colour


def test_artifact_computes_and_describes_itself(classifier):
    images = np.stack([colour(name, 8, 8) for name in CLASSES])
    np.testing.assert_allclose(classifier(images), np.eye(3), atol=1e-6)
    assert classifier.run({"image": images})["probabilities"].shape == (3, 3)
    assert classifier.task == "classification"
    assert classifier.classes == CLASSES
    assert classifier.image_size == (8, 8)
    assert classifier.device == "cpu"
    assert classifier.provider == "CPUExecutionProvider"
    name = classifier.manifest.name
    said = f"<Artifact {name}: classification, 3 classes, float32 on cpu>"
    assert repr(classifier) == said


@pytest.mark.parametrize(
    "images",
    [np.zeros((1, 8, 8, 3)), np.zeros((8, 8, 3), np.uint8), np.zeros((1, 8, 9, 3), np.uint8)],
)
def test_artifact_says_what_it_takes(classifier, images):
    with pytest.raises(ValueError, match=r"must be uint8 of shape \('any', 8, 8, 3\); received"):
        classifier(images)


def test_artifact_refuses_other_names_and_empty_batches(classifier):
    with pytest.raises(ValueError, match=r"takes the inputs \['image'\]; received \['x'\]"):
        classifier({"x": np.zeros((1, 8, 8, 3), np.uint8)})
    with pytest.raises(ValueError, match="received uint8 of shape"):
        classifier(np.zeros((0, 8, 8, 3), np.uint8))


@pytest.fixture
def copy(classifier_folder, tmp_path):
    return shutil.copytree(classifier_folder, tmp_path / "copy")


def test_images_of_any_size_are_mirrored_to_multiples_and_cut_again(negative, monkeypatch):
    seen, session = [], negative.session

    class Session:
        def run(self, names, arrays):
            seen.append(arrays["image"])
            return session.run(names, arrays)

    monkeypatch.setattr(negative, "session", Session())
    images = np.random.default_rng(0).integers(0, 256, (2, 6, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(negative(images), 255 - images)
    assert seen[0].shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(seen[0][:, :6, :7], images)
    np.testing.assert_array_equal(seen[0][:, 6:, :7], images[:, [4, 3]])
    np.testing.assert_array_equal(seen[0][:, :6, 7], images[:, :, 5])
    assert negative(images[:, :4, :4]).shape == (2, 4, 4, 3)
    assert seen[1].shape == (2, 4, 4, 3)


def test_load_artifact_verifies_the_graph(copy):
    with open(copy / "1" / "model.onnx", "ab") as file:
        file.write(b"\0")
    with pytest.raises(ManifestError, match="changed or damaged"):
        load_artifact(copy)


def test_load_artifact_reports_a_graph_that_cannot_be_opened(copy):
    (copy / "1" / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ArtifactError, match="cannot be opened"):
        load_artifact(copy, verify=False)


def test_load_artifact_compares_names_with_the_manifest(copy):
    manifest = read_manifest(copy)
    other = (Tensor("logits", "float32", (None, 3)),)
    write_manifest(copy, dataclasses.replace(manifest, outputs=other))
    with pytest.raises(ArtifactError, match=r"\['probabilities'\].*\['logits'\]"):
        load_artifact(copy)


def test_load_artifact_refuses_unknown_devices(classifier_folder):
    with pytest.raises(DeviceError, match="openvino, openvino-provider, tensorrt; received 'tpu'"):
        load_artifact(classifier_folder, device="tpu")


def test_cuda_is_refused_where_the_wheel_has_none(classifier_folder, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(DeviceError, match=r"keras_dtl\[gpu\]"):
        load_artifact(classifier_folder, device="cuda")
    assert load_artifact(classifier_folder, device="auto").device == "cpu"


def test_cuda_that_does_not_load_never_falls_back_silently(classifier_folder, monkeypatch):
    session = onnxruntime.InferenceSession
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda file, options, providers: session(file, options, providers=providers[-1:]),
    )
    with pytest.raises(DeviceError, match="could not load it"):
        load_artifact(classifier_folder, device="cuda")
    assert load_artifact(classifier_folder, device="auto").provider == "CPUExecutionProvider"


@pytest.mark.gpu
def test_cuda_computes_what_the_cpu_computes(classifier_folder):
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    artifact = load_artifact(classifier_folder, device="cuda")
    assert artifact.device == "cuda"
    expected = load_artifact(classifier_folder, device="cpu")(images)
    np.testing.assert_allclose(artifact(images), expected, atol=1e-5)


def test_convert_needs_no_tensorflow(classifier_folder):
    code = (
        "import json, sys, keras_dtl\n"
        "keras_dtl.convert_folder\n"
        "early = 'onnxruntime' in sys.modules\n"
        f"keras_dtl.load_artifact({str(classifier_folder)!r})\n"
        "heavy = [name for name in ('tensorflow', 'keras', 'keras_dtl.export') "
        "if name in sys.modules]\n"
        "print(json.dumps([early, heavy]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert json.loads(result.stdout) == [False, []]


def test_checksum_is_that_of_the_file(classifier_folder):
    manifest = read_manifest(classifier_folder)
    assert manifest.files["1/model.onnx"] == sha256(classifier_folder / "1" / "model.onnx")
