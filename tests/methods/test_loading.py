"""A saved model opens in a process that knows nothing of it yet."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_dtl import load_model
from keras_dtl.methods import DANN, SourceOnly
from tests.networks import CLASSES, compiled, dense, encoder

READER = """
import sys
{imports}
assert {loaded}
model = keras_dtl.load_model(sys.argv[1])
print(type(model).__name__, model.compiled, sum(float(abs(w).sum()) for w in model.get_weights()))
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    model = compiled(DANN(encoder(), dense(CLASSES), dense(1)))
    model.save(folder / "model.keras")
    return folder, sum(float(np.abs(w).sum()) for w in model.get_weights())


@pytest.mark.parametrize("kind", ["layer", "loss"])
def test_code_of_ones_own_that_is_not_known_is_named(kind, tmp_path):
    class Double(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    def mine(y, logits):
        return keras.ops.mean(logits)

    x = keras.Input((6,))
    double = Double()(x) if kind == "layer" else x
    model = SourceOnly(encoder(), keras.Model(x, keras.layers.Dense(CLASSES)(double)))
    model.compile("sgd", mine if kind == "loss" else "mse")
    model.save(tmp_path / "model.keras")
    name = {"layer": "Double", "loss": "mine"}[kind]
    with pytest.raises(ValueError, match=f"holds '{name}', which is of your own code"):
        load_model(tmp_path)
    with keras.saving.custom_object_scope({"Double": Double, "mine": mine}):
        assert load_model(tmp_path).compiled


@pytest.mark.parametrize(
    ("imports", "loaded"),
    [
        ("import keras_dtl", "'tensorflow' not in sys.modules"),
        pytest.param(
            "import keras\nimport keras_dtl",
            "'keras_dtl.methods' not in sys.modules",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_opens_in_a_new_process_in_either_order_of_imports(saved, imports, loaded):
    folder, total = saved
    code = READER.format(imports=imports, loaded=loaded)
    command = [sys.executable, "-c", code, str(folder / "model.keras")]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert answer.returncode == 0, answer.stderr
    name, is_compiled, found = answer.stdout.split()
    assert (name, is_compiled) == ("DANN", "True")
    assert float(found) == pytest.approx(total, rel=1e-6)


def test_a_folder_gives_its_model(saved):
    assert not load_model(saved[0], compile=False).compiled


def test_absent_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="model.keras"):
        load_model(tmp_path)
