"""The manifest: what is written is read again, and what is wrong is told."""

import copy
import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dtl.files import sha256
from keras_dtl.manifest import (
    Manifest,
    ManifestError,
    Preprocessing,
    Tensor,
    read_manifest,
    verify_file,
    write_manifest,
)

MANIFEST = Manifest(
    name="dann",
    task="classification",
    version=2,
    inputs=(Tensor("image", "uint8", (None, 28, 28, 3), (0.0, 255.0)),),
    outputs=(Tensor("probabilities", "float32", (None, 2), (0.0, 1.0)),),
    classes=("cat", "dög"),
    preprocessing=Preprocessing(resize=(28, 28), channels=3),
    files={"2/model.onnx": "0" * 64},
    versions={"keras": "3.15.1"},
    settings={"source": "digits", "nested": [1, None]},
    parity=({"file": "2/model.onnx", "difference": 1e-7},),
    metrics={"accuracy": 0.5},
    created="2030-01-01T00:00:00+00:00",
)


def changed(path, value):
    """Return the manifest as JSON with one place of it changed, or taken away."""
    record = json.loads(json.dumps(MANIFEST.to_json()))
    place = record
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return record


def test_manifest_round_trips(tmp_path):
    write_manifest(tmp_path, MANIFEST)
    assert read_manifest(tmp_path) == MANIFEST
    assert MANIFEST.onnx_file == "2/model.onnx"
    assert MANIFEST.inputs[0].is_image
    assert not MANIFEST.outputs[0].is_image


def test_what_would_not_be_read_is_not_written(tmp_path):
    """Of 1000 classes an artifact was published whose manifest was too large to be read."""
    wide = dataclasses.replace(MANIFEST, metrics={"confusion": [[0] * 1300] * 1300})
    with pytest.raises(ManifestError, match=r"bytes, and 16777216 are read. Leave large tables"):
        write_manifest(tmp_path, wide)
    assert list(tmp_path.iterdir()) == []


ADDED = ("litert", "runtimes")
"""What artifacts of earlier versions lack."""


@pytest.mark.parametrize(
    "key", ["format", *(f.name for f in dataclasses.fields(Manifest) if f.name not in ADDED)]
)
def test_manifest_names_a_missing_key(key):
    with pytest.raises(ManifestError, match=f"has no '{key}'; expected "):
        Manifest.from_json(changed([key], ...))


@pytest.mark.parametrize("key", ADDED)
def test_manifests_of_earlier_versions_are_read(key):
    assert Manifest.from_json(changed([key], ...)) == MANIFEST


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], 2),
        (["format"], True),
        (["name"], ""),
        (["task"], None),
        (["version"], 0),
        (["version"], True),
        (["version"], "1"),
        (["inputs"], []),
        (["inputs"], {}),
        (["inputs", 0, "dtype"], "string"),
        (["inputs", 0, "dtype"], []),
        (["inputs", 0, "shape"], [None, -1]),
        (["inputs", 0, "shape"], [None, 1.5]),
        (["inputs", 0, "range"], [1, 0]),
        (["inputs", 0, "range"], [0, float("inf")]),
        (["inputs", 0, "range"], [0]),
        (["outputs"], [MANIFEST.to_json()["outputs"][0]] * 2),
        (["classes"], []),
        (["classes"], [1, 2]),
        (["preprocessing"], None),
        (["preprocessing", "resize"], [28]),
        (["preprocessing", "channels"], 2),
        (["preprocessing", "size_multiple"], 0),
        (["files"], {"2/model.onnx": "short"}),
        (["versions"], {"keras": 3}),
        (["settings"], []),
        (["runtimes"], None),
        (["runtimes"], {"openvino": {"int8": {"quality": {}}}}),
        (["runtimes"], {"openvino": {"int8": {"file": "x", "quality": 1}}}),
        (["parity"], [1]),
    ],
)
def test_manifest_refuses_a_wrong_value(path, value):
    with pytest.raises(ManifestError, match=r"must (be|have) "):
        Manifest.from_json(json.loads(json.dumps(changed(path, value))))


@pytest.mark.parametrize(
    "path",
    ["../x", "/etc/passwd", "a/../../x", "C:/x", "C:x", "a\\..\\..\\x", "", ".", "a\0b"],
)
def test_manifest_refuses_paths_that_leave_the_artifact(path):
    with pytest.raises(ManifestError, match="safe paths"):
        Manifest.from_json(changed(["files"], {path: "0" * 64}))


def test_read_manifest_says_what_is_wrong_with_the_file(tmp_path):
    with pytest.raises(ManifestError, match="is not an artifact"):
        read_manifest(tmp_path)
    for text in (b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b"null", b'"text"'):
        (tmp_path / "manifest.json").write_bytes(text)
        with pytest.raises(ManifestError, match=r"manifest\.json: .* Export the model again"):
            read_manifest(tmp_path)


def test_verify_file_catches_changes(tmp_path):
    (tmp_path / "2").mkdir()
    file = tmp_path / "2" / "model.onnx"
    file.write_bytes(b"graph")
    manifest = dataclasses.replace(MANIFEST, files={"2/model.onnx": sha256(file)})
    assert verify_file(tmp_path, manifest, "2/model.onnx") == file
    file.write_bytes(b"grapf")
    with pytest.raises(ManifestError, match="changed or damaged"):
        verify_file(tmp_path, manifest, "2/model.onnx")
    file.unlink()
    for compare in (True, False):
        with pytest.raises(ManifestError, match="cannot be read"):
            verify_file(tmp_path, manifest, "2/model.onnx", compare)
    with pytest.raises(ManifestError, match="lists no file"):
        verify_file(tmp_path, manifest, "3/model.onnx")


def test_verify_file_follows_no_link_out_of_the_artifact(tmp_path):
    (tmp_path / "secret").write_bytes(b"graph")
    (tmp_path / "artifact" / "2").mkdir(parents=True)
    (tmp_path / "artifact" / "2" / "model.onnx").symlink_to(tmp_path / "secret")
    manifest = dataclasses.replace(MANIFEST, files={"2/model.onnx": sha256(tmp_path / "secret")})
    with pytest.raises(ManifestError, match="leads out of the artifact"):
        verify_file(tmp_path / "artifact", manifest, "2/model.onnx")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def places(value, path=()):
    """List the path of every value in a nested one."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


PLACES = list(places(json.loads(json.dumps(MANIFEST.to_json()))))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_only_manifest_error_escapes_a_changed_manifest(path, value):
    record = changed(list(path), copy.deepcopy(value))
    try:
        manifest = Manifest.from_json(record)
    except ManifestError:
        return
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) is not None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64) | JSON.map(lambda value: json.dumps(value).encode()))
def test_only_manifest_error_escapes_any_bytes(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    (folder / "manifest.json").write_bytes(data)
    with pytest.raises(ManifestError):
        read_manifest(folder)
