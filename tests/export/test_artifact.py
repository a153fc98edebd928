"""What export_model publishes, and what it refuses to publish."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import onnx
import pytest

import keras_dtl.export.artifact as artifact_module
from keras_dtl.convert import convert_folder, load_artifact
from keras_dtl.export import FORMATS, ExportError, export_model
from keras_dtl.export.deployable import deployable_of
from keras_dtl.files import sha256
from keras_dtl.images import write_image
from keras_dtl.manifest import Preprocessing, Tensor, read_manifest
from keras_dtl.methods.networks import nested_layers
from tests.export.conftest import CLASSES, make_classifier, make_generator, make_scorer


def tree(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_export_model_writes_the_whole_artifact(classifier_artifact):
    assert tree(classifier_artifact) >= {
        *("manifest.json", "config.pbtxt", "model.keras", "settings.json", "report.html"),
        *("1/model.onnx", "1/saved_model.pb", "1/variables/variables.index"),
    }
    assert (classifier_artifact / "report.html").read_text() == "<p>report</p>"
    assert not [path for path in classifier_artifact.parent.iterdir() if path.name[0] == "."]


def test_manifest_describes_the_model(classifier_artifact):
    manifest = read_manifest(classifier_artifact)
    assert (manifest.name, manifest.task, manifest.version) == ("classifier", "classification", 1)
    assert manifest.inputs == (Tensor("image", "uint8", (None, 12, 10, 3), (0.0, 255.0)),)
    assert manifest.outputs == (Tensor("probabilities", "float32", (None, 3), (0.0, 1.0)),)
    assert manifest.classes == CLASSES
    assert manifest.preprocessing == Preprocessing(resize=(12, 10), channels=3, size_multiple=1)
    assert manifest.settings == {"seed": 0, "rate": 0.5, "sizes": [1, 2]}
    assert manifest.metrics == {"accuracy": 0.75, "loss": None}
    assert {"keras_dtl", "keras", "tensorflow", "onnx", "tf2onnx", "opset"} <= set(
        manifest.versions
    )
    assert manifest.created.endswith("+00:00")
    assert json.loads((classifier_artifact / "settings.json").read_text()) == manifest.settings


def test_manifest_holds_every_checksum(classifier_artifact):
    manifest = read_manifest(classifier_artifact)
    assert set(manifest.files) == tree(classifier_artifact) - {"manifest.json"}
    for name, checksum in manifest.files.items():
        assert sha256(classifier_artifact / name) == checksum


def test_manifest_holds_measured_parity(classifier_artifact, generator_artifact):
    for artifact in (classifier_artifact, generator_artifact):
        parity = read_manifest(artifact).parity
        files = [record["file"] for record in parity]
        saved_model = "1/saved_model.pb"
        assert files == ["model.keras", saved_model, f"{saved_model} (image_bytes)", "1/model.onnx"]
        assert all(record["difference"] <= record["tolerance"] for record in parity)
    sizes = ["1x32x34x3", "3x32x34x3", "1x34x38x3", "3x32x34x3", "1x264x266x3", "1x32x34x3"]
    assert parity[0]["inputs"] == sizes
    assert parity[1]["inputs"] == [*sizes, "3x31x33x3"]


def test_exported_classifier_computes_what_keras_computes(classifier, classifier_artifact):
    images = np.random.default_rng(1).integers(0, 256, (5, 12, 10, 3), dtype=np.uint8)
    expected = np.asarray(classifier(images, training=False))
    np.testing.assert_allclose(load_artifact(classifier_artifact)(images), expected, atol=1e-5)
    loaded = keras.saving.load_model(classifier_artifact / "model.keras", safe_mode=True)
    np.testing.assert_allclose(np.asarray(loaded(images)), expected, atol=1e-6)


def test_exported_models_convert_folders(classifier_artifact, generator_artifact, tmp_path):
    image = np.random.default_rng(1).integers(0, 256, (12, 10, 3), dtype=np.uint8)
    write_image(tmp_path / "photos" / "a.png", image)
    write_image(tmp_path / "photos" / "odd.png", image[:11, :9])
    for artifact in (classifier_artifact, generator_artifact):
        output = tmp_path / artifact.name
        report = convert_folder(load_artifact(artifact), tmp_path / "photos", output)
        assert report.exit_status == 0
    assert "predictions.csv" in tree(tmp_path / "classifier")
    assert {"a.png", "odd.png"} < tree(tmp_path / "generator")


def test_two_inputs_keep_their_order_and_get_names(two_inputs_artifact):
    manifest = read_manifest(two_inputs_artifact)
    assert [item.name for item in manifest.inputs] == ["input_0", "input_1"]
    assert [item.name for item in manifest.outputs] == ["a_b", "doubled"]
    assert manifest.outputs[1].shape == (None, None, 6)
    assert manifest.classes is None
    assert manifest.preprocessing == Preprocessing()
    random = np.random.default_rng(0)
    inputs = {
        "input_0": random.normal(size=(2, 5, 6)).astype("float32"),
        "input_1": random.normal(size=(2, 4)).astype("float32"),
    }
    outputs = load_artifact(two_inputs_artifact)(inputs)
    np.testing.assert_allclose(outputs["doubled"], inputs["input_0"] * 2, rtol=1e-6)


@pytest.fixture(scope="module")
def scorer_artifact(folder):
    export_model(make_scorer(), folder / "scorer", task="classification")
    return folder / "scorer"


def make_mixed(policy):
    """A classifier built under `policy`, with a layer inside a layer inside a model."""
    keras.config.set_dtype_policy(policy)
    image = keras.Input((12, 10, 3), dtype="float32", name="image")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.Sequential([keras.Input(x.shape[1:]), Block()], name="encoder")(x)
    softmax = keras.layers.Activation("softmax", dtype="float32", name="probabilities")
    return keras.Model(image, softmax(x))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_half_precision_is_rebuilt_in_float32(policy):
    model = make_mixed(policy)
    rebuilt = deployable_of(model).model
    assert keras.config.dtype_policy().name == policy
    assert {layer.compute_dtype for layer in nested_layers(rebuilt)} == {"float32"}
    for new, old in zip(rebuilt.weights, model.weights, strict=True):
        np.testing.assert_array_equal(new.numpy(), np.asarray(old.numpy(), new.dtype))
    images = np.random.default_rng(1).uniform(0, 255, (5, 12, 10, 3)).astype("float32")
    np.testing.assert_allclose(np.asarray(rebuilt(images)), np.asarray(model(images)), atol=2e-2)


def test_mixed_precision_is_exported_in_float32(tmp_path):
    manifest = export_model(make_mixed("mixed_float16"), tmp_path / "a", task="classification")
    assert max(record["difference"] for record in manifest.parity) < 1e-5
    keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "a" / "model.keras")
    assert {layer.compute_dtype for layer in nested_layers(loaded)} == {"float32"}


def test_float32_models_are_exported_as_they_are(classifier):
    assert deployable_of(classifier).model is classifier


def test_versions_count_up_in_place(scorer_artifact, tmp_path):
    artifact = shutil.copytree(scorer_artifact, tmp_path / "scorer")
    manifest = export_model(make_scorer(), artifact, task="classification")
    assert manifest.version == 2
    folders = sorted(path.name for path in artifact.iterdir() if path.is_dir())
    assert folders == ["1", "2"]  # what servers still run stays
    assert load_artifact(artifact).classes == ("0", "1", "2")


@keras.saving.register_keras_serializable("tests")
class Block(keras.layers.Layer):
    """A layer that makes another one, which takes the global policy."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(3)

    def build(self, input_shape):
        self.inner.build((None, 3))

    def call(self, inputs):
        return self.inner(keras.ops.mean(inputs, axis=(1, 2)))


@keras.saving.register_keras_serializable("tests")
class Noise(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator()

    def call(self, inputs):
        return keras.random.normal(keras.ops.shape(inputs), seed=self.seed)


@keras.saving.register_keras_serializable("tests")
class Forgetful(keras.layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return {"name": self.name}


class Deployed:
    """What a method looks like to the export."""

    task = "image_to_image"
    size_multiple = 2

    def deployable(self):
        return make_generator()


def test_export_asks_a_method_for_its_deployable_model(no_saved_model, tmp_path):
    manifest = export_model(Deployed(), tmp_path / "method", opset=15, image_size=(16, 24))
    assert manifest.task == "image_to_image"
    assert manifest.preprocessing == Preprocessing((16, 24), channels=3, size_multiple=2)
    assert manifest.inputs[0].shape == (None, None, None, 3)
    assert manifest.versions["opset"] == "15"
    graph = onnx.load(tmp_path / "method" / manifest.onnx_file)
    assert [item.version for item in graph.opset_import if not item.domain] == [15]


# Nothing wrong is published --------------------------------------------------------------


def test_failing_parity_publishes_nothing_and_keeps_the_old(scorer_artifact, tmp_path, monkeypatch):
    artifact = shutil.copytree(scorer_artifact, tmp_path / "scorer")
    before = {path: (artifact / path).read_bytes() for path in tree(artifact)}
    model = make_scorer()
    row = FORMATS["onnx"]

    def write_with_other_weights(draft, path):
        weights = model.get_weights()
        model.set_weights([weight + 0.1 for weight in weights])
        row.write(draft, path)
        model.set_weights(weights)

    other = dataclasses.replace(row, write=write_with_other_weights)
    monkeypatch.setitem(FORMATS, "onnx", other)
    with pytest.raises(ExportError, match=r"2/model\.onnx: output 'probabilities' differs .* at m"):
        export_model(model, artifact, task="classification")
    assert {path: (artifact / path).read_bytes() for path in tree(artifact)} == before
    assert [path.name for path in tmp_path.iterdir()] == ["scorer"]


def test_models_that_onnx_cannot_hold_are_refused(tmp_path):
    image = keras.Input((8, 8, 3), name="image")
    with pytest.raises(ExportError, match=r"cannot be written as ONNX.*StatelessRandomNormal"):
        export_model(keras.Model(image, Noise()(image)), tmp_path / "noise", task="any")
    assert list(tmp_path.iterdir()) == []


def test_models_that_forget_an_argument_are_refused(tmp_path):
    code = keras.Input((4,), name="code")
    with pytest.raises(ExportError, match=r"model\.keras cannot be loaded again.*get_config"):
        export_model(keras.Model(code, Forgetful(3)(code)), tmp_path / "a", task="any")
    assert list(tmp_path.iterdir()) == []


def test_logits_are_no_probabilities(tmp_path):
    image = keras.Input((8, 8, 3), dtype="uint8", name="image")
    x = keras.layers.GlobalAveragePooling2D()(image)
    model = keras.Model(image, keras.layers.Dense(2, bias_initializer="ones")(x))
    with pytest.raises(ExportError, match="must hold probabilities from 0 to 1"):
        export_model(model, tmp_path / "logits", task="classification")
    assert list(tmp_path.iterdir()) == []


def test_folders_that_are_no_artifact_are_not_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="holds something else and is not replaced"):
        export_model(make_classifier(), tmp_path / "photos", task="classification")
    assert (tmp_path / "photos" / "a.png").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"task": None}, ValueError, "task must be a text"),
        ({"classes": ["a"]}, ValueError, "1 class names given, but the model has 3"),
        ({"image_size": (9, 9)}, ValueError, r"takes images of \(12, 10\)"),
        ({"image_size": 12}, ValueError, r"must be \(height, width\), two integers"),
        ({"image_size": (12.5, 10)}, ValueError, r"must be \(height, width\), two integers"),
        ({"size_multiple": 0}, ValueError, "`size_multiple` must be an integer of 1 or more"),
        ({"size_multiple": 5}, ValueError, r"received \(12, 10\), size_multiple=5"),
        ({"least_size": 11}, ValueError, r"received \(12, 10\), .* least_size=11"),
        ({"classes": {"a", "b", "c"}}, ValueError, "order of the model's output; received the set"),
        ({"classes": {"b": 1, "a": 0, "c": 2}}, ValueError, "received the dict"),
        ({"opset": 12}, ValueError, "`opset` must be 13 to 18"),
        ({"extra_files": {"../x": __file__}}, ValueError, "must be a file name"),
        ({"extra_files": {"manifest.json": __file__}}, ValueError, "not yet taken"),
        ({"extra_files": {"settings.json": __file__}}, ValueError, "not yet taken"),
        ({"extra_files": {"x": "missing"}}, FileNotFoundError, "no file missing"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(classifier, tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        export_model(classifier, tmp_path / "a", **{"task": "classification"} | arguments)
    assert list(tmp_path.iterdir()) == []


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


def test_models_that_cannot_be_exported_are_refused(tmp_path):
    with pytest.raises(ExportError, match=r"received Subclassed\. Wrap it"):
        export_model(Subclassed(), tmp_path / "a", task="any")
    fixed = keras.Input(batch_shape=(2, 4))
    with pytest.raises(ExportError, match="must be a free batch size"):
        export_model(keras.Model(fixed, keras.layers.Dense(2)(fixed)), tmp_path / "a", task="any")
    with pytest.raises(ExportError, match="one output of shape"):
        export_model(make_generator(), tmp_path / "a", task="classification")


@pytest.mark.parametrize("before", [True, False])
def test_the_truth_is_full_float32_also_on_gpus_that_round(no_files, tmp_path, monkeypatch, before):
    import tensorflow as tf

    enabled = tf.config.experimental.tensor_float_32_execution_enabled
    seen = []
    make_probes = artifact_module.make_probes
    monkeypatch.setattr(
        artifact_module,
        "make_probes",
        lambda *arguments: seen.append(enabled()) or make_probes(*arguments),
    )
    tf.config.experimental.enable_tensor_float_32_execution(before)
    try:
        export_model(make_classifier(), tmp_path / "a", task="classification", classes=CLASSES)
        assert (seen, enabled()) == ([False], before)
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(False)
