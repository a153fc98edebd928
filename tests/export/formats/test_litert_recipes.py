"""Every recipe's model for LiteRT: behind the same gate as all files."""

import pytest

from keras_dtl.export import export_model
from keras_dtl.manifest import read_manifest
from keras_dtl.recipes import RECIPES
from tests.recipes.step_repeats import changes

pytest.importorskip("ai_edge_litert")
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_exported_for_litert(name, tmp_path):
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    recipe = RECIPES[name](**changes(name, tmp_path))
    data = recipe.load_data()
    recipe.prepare(data, tf.distribute.get_strategy())
    model = recipe.build_model(data)
    options = {**recipe.export_arguments(data), "examples": recipe.export_examples(data)}
    export_model(model, tmp_path / "a", formats=("litert",), **options)
    manifest = read_manifest(tmp_path / "a")
    [*records] = [record for record in manifest.parity if record["file"].endswith(".tflite")]
    assert manifest.litert["float32"]["file"] == "1/model.tflite"
    assert records and all(record["difference"] <= record["tolerance"] for record in records)
