"""What completion, star imports and type checkers see of the package."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import keras_dtl

METHODS = {
    name
    for name, value in vars(keras_dtl.methods).items()
    if inspect.isclass(value) and issubclass(value, keras_dtl.Method)
}


def test_every_public_name_is_listed_and_loads():
    assert {"DANN", "CycleGAN", "load", "export_model", "layers", "__version__"} <= set(
        keras_dtl.__all__
    )
    assert set(keras_dtl.__all__) <= set(dir(keras_dtl))
    for name in keras_dtl.__all__:
        assert getattr(keras_dtl, name) is not None


def test_every_method_is_a_name_of_the_package():
    assert len(METHODS) >= 18
    assert set(keras_dtl.methods.__all__) >= METHODS
    assert set(keras_dtl.__all__) >= METHODS


def test_star_import_brings_every_name():
    names = {}
    exec("from keras_dtl import *", names)  # noqa: S102 (our own line)
    assert set(names) >= set(keras_dtl.__all__)
    assert names["DANN"] is keras_dtl.methods.DANN


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="DNAN"):
        _ = keras_dtl.DNAN


@pytest.mark.slow
def test_type_checker_knows_classes_and_misspellings(tmp_path):
    path = tmp_path / "names.py"
    path.write_text(
        "import keras_dtl\nfrom keras_dtl import *\n"
        "reveal_type(keras_dtl.DANN)\nreveal_type(load_artifact)\nkeras_dtl.DNAN\n"
    )
    settings = {"extraPaths": [str(Path(__file__).parents[1])], "typeCheckingMode": "basic"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path).stdout
    assert 'Type of "keras_dtl.DANN" is "type[DANN]"' in answer
    assert "-> Artifact" in answer
    assert '"DNAN" is not a known attribute' in answer and "1 error" in answer
