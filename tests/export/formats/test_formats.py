"""The table of formats: one more row is written, compared with Keras, and published."""

import json
import typing

import keras
import numpy as np
import pytest

from keras_dtl.export import FORMATS, ExportError, Format, export_model
from keras_dtl.export.checks.parity import Reading
from keras_dtl.files import sha256
from keras_dtl.manifest import ReducedPrecision, read_manifest


def model():
    keras.utils.set_random_seed(0)
    code = keras.Input((4,), name="code")
    return keras.Model(code, keras.layers.Dense(2, name="score", bias_initializer="ones")(code))


def write_matrices(draft, path):
    """Weights as JSON: what a format that nobody has heard of could look like."""
    kernel, bias = draft.deployable.model.get_weights()
    path.write_text(json.dumps([kernel.tolist(), bias.tolist()]))


def read_matrices(draft, path):
    kernel, bias = (np.array(values, "float32") for values in json.loads(path.read_text()))
    yield Reading(lambda inputs: {"score": inputs["code"] @ kernel + bias})


def read_without_bias(draft, path):
    kernel, _ = (np.array(values, "float32") for values in json.loads(path.read_text()))
    yield Reading(lambda inputs: {"score": inputs["code"] @ kernel})


def matrices(read=read_matrices, **options):
    return Format("matrices", "{version}/matrices.json", write_matrices, read, **options)


def test_a_row_is_written_compared_and_listed(tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, "matrices", matrices())
    export_model(model(), tmp_path / "a", task="scoring")
    manifest = read_manifest(tmp_path / "a")
    file = "1/matrices.json"
    assert manifest.files[file] == sha256(tmp_path / "a" / file)
    [record] = [record for record in manifest.parity if record["file"] == file]
    assert record["difference"] <= record["tolerance"] < 1e-4
    assert record["inputs"] == ["1x4", "3x4", "1x4", "1x4"]


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (read_without_bias, r"1/matrices\.json: output 'score' differs from Keras by 1"),
        (lambda draft, path: [], r"1/matrices\.json: its reader gives nothing to run"),
    ],
)
def test_a_row_that_computes_something_else_stops_the_export(tmp_path, monkeypatch, read, message):
    monkeypatch.setitem(FORMATS, "matrices", matrices(read))
    with pytest.raises(ExportError, match=message):
        export_model(model(), tmp_path / "a", task="scoring")
    assert list(tmp_path.iterdir()) == []


def test_a_row_is_for_its_tasks_alone(tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, "matrices", matrices(tasks=("scoring",)))
    manifest = export_model(model(), tmp_path / "a", task="ranking")
    assert "1/matrices.json" not in manifest.files


def test_a_row_is_made_from_what_has_passed(tmp_path, monkeypatch):
    passed = []

    def write(draft, path):
        passed.extend(record["file"] for record in draft.manifest.parity)
        write_matrices(draft, path)

    derived = Format("matrices", "matrices.json", write, source="onnx")
    monkeypatch.setitem(FORMATS, "matrices", derived)
    manifest = export_model(model(), tmp_path / "a", task="scoring")
    assert manifest.onnx_file in passed
    assert "matrices.json" in manifest.files


def test_files_of_the_table_are_not_overwritten_by_others(tmp_path, monkeypatch):
    row = Format("matrices", "matrices.json", write_matrices, read_matrices)
    monkeypatch.setitem(FORMATS, "matrices", row)
    with pytest.raises(ValueError, match="not yet taken"):
        export_model(
            model(), tmp_path / "a", task="scoring", extra_files={"matrices.json": __file__}
        )


def test_command_line_and_manifest_name_the_lossy_rows():
    lossy = tuple(row.name for row in FORMATS.values() if row.lossy)
    assert typing.get_args(ReducedPrecision) == lossy


def test_lossy_rows_are_for_tasks_whose_quality_can_be_measured(tmp_path):
    options = {"task": "scoring", "precisions": ("int8",), "calibration": tmp_path}
    with pytest.raises(ExportError, match=r"int8 can be measured for classification, .*'scoring'"):
        export_model(model(), tmp_path / "a", **options)
    assert list(tmp_path.iterdir()) == []
