"""What leaves is what was trained: every kind of input, every kind of head, every method.

python -m tests.export.checks.test_truth FOLDER measures all of them, with LiteRT beside, for
exported/README.md; what is in answers.json already is kept.
"""

import json
import pathlib
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_dtl
from keras_dtl.convert import convert_folder, load_artifact
from keras_dtl.export import ExportError, export_model
from keras_dtl.images import write_image
from tests.export.records import is_in_page, place_of, read_record, rows, write_record

INPUTS = {
    "uint8 images": ((8, 8, 3), "uint8"),
    "float images": ((8, 8, 3), "float32"),
    "tabular": ((6,), "float32"),
    "series": ((10, 3), "float32"),
    "motion": ((None, 12), "float32"),
}
# What is compiled, how many numbers the head gives, and the task and output of the artifact.
HEADS = {
    "classes": ("SparseCategoricalCrossentropy", 3, "classification", "probabilities"),
    "one logit": ("BinaryCrossentropy", 1, "classification", "probabilities"),
    "regression": ("MeanSquaredError", 2, "regression", "values"),
    "several labels": ("BinaryCrossentropy", 3, "multi_label_classification", "probabilities"),
    "dense class map": ("SparseCategoricalCrossentropy", 3, "segmentation", "class_map"),
}
METHODS = ("DANN", "FineTuning", "DeepCORAL", "DAN", "MME", "CDAN", "ADDA", "SourceOnly", "CCSA")
QUICK = {
    ("uint8 images", "one logit", "DANN"),
    ("float images", "classes", "DANN"),
    ("tabular", "regression", "DANN"),
    ("series", "several labels", "FineTuning"),
}


def encoder_of(kind):
    shape, dtype = INPUTS[kind]
    inputs = x = keras.Input(shape, dtype=dtype)
    if dtype == "uint8":
        x = keras.layers.Rescaling(1 / 127.5, -1)(x)
    if len(shape) == 3:
        x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        return keras.Model(inputs, x)
    if len(shape) == 2:
        x = keras.layers.GlobalAveragePooling1D()(keras.layers.Dense(5, "tanh")(x))
    return keras.Model(inputs, keras.layers.Dense(5, "tanh")(x))


def head_of(features, width, dense):
    inputs = x = keras.Input(features)
    if not dense and len(features) == 3:
        x = keras.layers.Flatten()(x)
    large = keras.initializers.RandomNormal(stddev=0.5, seed=1)
    return keras.Model(inputs, keras.layers.Dense(width, kernel_initializer=large)(x))


def method_of(name, encoder, classifier):
    kind = getattr(keras_dtl, name)
    features, logits = encoder.output_shape[1:], classifier.output_shape[-1]
    if name in ("DANN", "ADDA", "CDAN"):
        joined = {"DANN": features, "ADDA": (logits,), "CDAN": (int(np.prod(features)) * logits,)}
        return kind(encoder, classifier, head_of(joined[name], 1, False))
    return kind(encoder, classifier)


def model_of(kind, head, method):
    keras.utils.set_random_seed(0)
    loss, width, *_ = HEADS[head]
    encoder = encoder_of(kind)
    if method == "CDAN" and len(encoder.output_shape) == 4:  # which takes vectors alone
        pooled = keras.layers.GlobalAveragePooling2D()(encoder.output)
        encoder = keras.Model(encoder.input, pooled)
    classifier = head_of(encoder.output_shape[1:], width, head == "dense class map")
    model = method_of(method, encoder, classifier)
    options = {} if loss == "MeanSquaredError" else {"from_logits": True}
    players = dict.fromkeys(model.player_optimizers, "sgd")
    model.compile("sgd", loss=getattr(keras.losses, loss)(**options), **players)
    return model


def examples_of(kind, count=5):
    shape, dtype = INPUTS[kind]
    shape = (count, *(7 if size is None else size for size in shape))
    random = np.random.default_rng(0)
    if dtype == "uint8":
        return random.integers(0, 256, shape, dtype=np.uint8)
    return random.uniform(-3, 3, shape).astype("float32")


def sigmoid(numbers):
    return 1 / (1 + np.exp(-numbers.astype("float64")))


def right_answer(head, numbers):
    """What the issue of each head is, written once more."""
    if head == "regression":
        return numbers
    if head == "several labels":
        return sigmoid(numbers)
    if head == "one logit":
        return np.concatenate([1 - sigmoid(numbers), sigmoid(numbers)], -1)
    if head == "dense class map":
        return numbers.argmax(-1)
    numbers = numbers.astype("float64")
    powers = np.exp(numbers - numbers.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def cells():
    for kind in INPUTS:
        for head in HEADS:
            for method in METHODS:
                if head == "dense class map" and (
                    len(INPUTS[kind][0]) != 3 or method not in ("DANN", "FineTuning", "SourceOnly")
                ):
                    continue
                marks = () if (kind, head, method) in QUICK else pytest.mark.slow
                yield pytest.param(kind, head, method, marks=marks, id=f"{kind}-{head}-{method}")


def difference_of(kind, head, method, folder, **options):
    """Return by how much an artifact differs from `predict`, beside the largest value or 1."""
    model, examples = model_of(kind, head, method), examples_of(kind)
    manifest = export_model(model, folder, examples=examples, **options)
    _, _, task, output = HEADS[head]
    assert (manifest.task, manifest.outputs[0].name) == (task, output)
    assert manifest.inputs[0].dtype == INPUTS[kind][1]
    others = examples_of(kind, 9)[5:]
    expected = right_answer(head, model.predict(others, verbose=0))
    received = load_artifact(folder, "cpu")(others)
    assert received.shape == expected.shape
    largest = max(1.0, float(np.abs(expected).max()))
    return float(np.abs(received.astype("float64") - expected).max()) / largest


@pytest.mark.parametrize(("kind", "head", "method"), list(cells()))
def test_the_artifact_answers_what_predict_means(kind, head, method, tmp_path):
    assert difference_of(kind, head, method, tmp_path / "a") <= 1e-5


def test_float_networks_trained_on_uint8_images_take_these(no_saved_model, tmp_path):
    model = model_of("float images", "classes", "DANN")
    images = examples_of("uint8 images")
    manifest = export_model(model, tmp_path / "a", examples=images)
    assert manifest.inputs[0].dtype == "uint8"
    expected = right_answer("classes", model.predict(images, verbose=0))
    np.testing.assert_allclose(load_artifact(tmp_path / "a", "cpu")(images), expected, atol=1e-5)


def small(loss=None, width=1, **options):
    model = model_of("tabular", "regression", "FineTuning")
    model = keras_dtl.FineTuning(model.encoder, head_of((5,), width, False))
    if loss is not None:
        model.compile("sgd", loss=loss)
    return model


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (None, "no loss, and a head of 1"),
        ("kl_divergence", "compile the form with from_logits=True"),
        (lambda y, z: keras.ops.mean(z), "<lambda>, and a head of 1. Pass postprocessing="),
        ("sparse_categorical_crossentropy", "over one number is 1 whatever the input"),
    ],
)
def test_heads_that_nothing_explains_are_refused_in_words(loss, message, tmp_path):
    with pytest.raises(ExportError, match=message):
        export_model(small(loss), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_an_explicit_argument_says_what_the_loss_does_not(tmp_path):
    model = small(lambda y, z: keras.ops.mean(z))
    manifest = export_model(model, tmp_path / "a", postprocessing="none")
    assert manifest.task == "regression"
    x = examples_of("tabular")
    received = load_artifact(tmp_path / "a", "cpu")(x)
    np.testing.assert_allclose(received, model.predict(x, verbose=0), rtol=1e-5, atol=1e-5)


def test_examples_of_another_dtype_are_refused(tmp_path):
    model = model_of("uint8 images", "classes", "DANN")
    with pytest.raises(ValueError, match="takes 'image' as uint8; received examples of float32"):
        export_model(model, tmp_path / "a", examples=examples_of("float images"))


@pytest.mark.parametrize("examples", [np.full((2, 4), 0.5), np.full((2, 4), 2**40), iter(())])
def test_examples_that_an_input_of_whole_numbers_does_not_hold_are_refused(examples, tmp_path):
    """They were cut; of what is no array an IndexError spoke."""
    x = keras.Input((4,), dtype="int32", name="x")
    model = keras.Model(x, keras.layers.Dense(2)(keras.ops.cast(x, "float32")))
    with pytest.raises(ValueError, match="does not hold the examples|of shape .* received"):
        export_model(model, tmp_path / "a", task="numbers", examples=examples)


def test_a_deployable_that_answers_otherwise_is_not_published(tmp_path, monkeypatch):
    model = model_of("tabular", "regression", "FineTuning")
    wrong = keras_dtl.layers.Answer("softmax", 2)
    monkeypatch.setattr(model, "deployable", lambda: _deployed(model, wrong))
    with pytest.raises(ExportError, match="differs from Keras"):
        export_model(model, tmp_path / "a")


def _deployed(model, answer):
    from keras_dtl.methods.classifier import deployed_classifier

    deployed = deployed_classifier(model.encoder, model.classifier, "wrong", answer)
    return keras.Model(deployed.input, {"values": deployed.output})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38])
def test_weights_that_diverged_are_not_published(value, tmp_path):
    model = model_of("uint8 images", "classes", "DANN")
    kernel = model.encoder.layers[-1].kernel
    weights = np.array(kernel)
    weights[0, 0, 0, 0] = value
    kernel.assign(weights)
    with pytest.raises(ExportError, match=r"1 of 108 numbers of the weight .*: the training div"):
        export_model(model, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_are_not_finite_are_not_published(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, keras.ops.log(keras.ops.abs(x) * 0.0))
    with pytest.raises(ExportError, match="holds numbers that are not finite"):
        export_model(model, tmp_path / "a", task="any")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("one logit", marks=pytest.mark.slow),
        pytest.param("regression", marks=pytest.mark.slow),
        "several labels",
    ],
)
def test_folders_are_converted_by_every_head(head, no_saved_model, tmp_path):
    model = model_of("uint8 images", head, "FineTuning")
    names = [f"n{index}" for index in range(max(2, HEADS[head][1]))]
    export_model(model, tmp_path / "a", classes=names)
    images = examples_of("uint8 images", 3)
    for index, image in enumerate(images):
        write_image(tmp_path / "photos" / f"{index}.png", image)
    options = {"format": "jsonl", "all_probabilities": True}
    report = convert_folder(
        load_artifact(tmp_path / "a", "cpu"), tmp_path / "photos", tmp_path / "out", **options
    )
    rows = [json.loads(line) for line in report.output.read_text().splitlines()]
    key = "values" if head == "regression" else "probabilities"
    received = [[row[key][name] for name in names] for row in rows]
    expected = right_answer(head, model.predict(images, verbose=0))
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=2e-6)
    if head == "several labels":
        found = [[name for name in names if row["probabilities"][name] >= 0.5] for row in rows]
        assert [row["labels"] for row in rows] == found


def cyclegan():
    from keras_dtl.backbones import patch_discriminator, resnet_generator

    keras.utils.set_random_seed(0)
    generators = [resnet_generator((48, 40, 3), filters=4, blocks=1) for _ in range(2)]
    judges = [patch_discriminator((48, 40, 3), 16, filters=4) for _ in range(2)]
    return keras_dtl.CycleGAN(*generators, *judges)


@pytest.mark.slow
def test_generators_of_one_trained_size_are_compared_at_that_size(no_saved_model, tmp_path):
    model = cyclegan()
    manifest = export_model(model, tmp_path / "a")
    assert manifest.parity[0]["inputs"][-1] == "1x48x40x3"
    x = np.random.default_rng(1).integers(0, 256, (2, 48, 40, 3), dtype=np.uint8)
    expected = ((model.predict(x, verbose=0) + 1) * 127.5).round().clip(0, 255)
    assert np.abs(load_artifact(tmp_path / "a", "cpu")(x) - expected).max() <= 1


@pytest.mark.slow
def test_servers_answer_every_size_as_convert_does(tmp_path):
    model = cyclegan()
    manifest = export_model(model, tmp_path / "a")
    assert (manifest.preprocessing.size_multiple, manifest.preprocessing.least_size) == (4, 8)
    artifact = load_artifact(tmp_path / "a", "cpu")
    served = tf.saved_model.load(tmp_path / "a" / "1").signatures["serving_default"]
    for height, width in ((1, 2), (4, 12), (13, 17)):
        shape = (2, height, width, 3)
        odd = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
        bare = artifact.session.run(None, {"image": odd})[0]
        for other in (bare, served(image=tf.constant(odd))["translated"].numpy()):
            assert np.abs(artifact(odd).astype(int) - other).max() <= 1


WORDS = """For each kind of input and head, the largest difference from `predict`, relative to the
largest value or 1, and in brackets how many methods were exported, and how many of these for LiteRT
too:"""


def table(record):
    """One row a kind of input, one column a head: how many methods, and the largest difference."""
    cells = {tuple(key.split(" | ")): value for key, value in record["cells"].items()}

    def words(kind, head):
        found = [value for key, value in cells.items() if key[:2] == (kind, head)]
        if not found:
            return ""
        worst = max(value["difference"] for value in found)
        litert = sum(value["litert"] == "as Keras" for value in found)
        return f"{worst:.0e} ({len(found)}, LiteRT {litert})"

    found = [(kind, *(words(kind, head) for head in HEADS)) for kind in INPUTS]
    return f"{WORDS}\n\n{rows(('', *HEADS), found)}"


def test_the_table_is_what_was_measured():
    assert is_in_page("answers", table)
    if place_of("answers").exists():
        measured = read_record("answers")["cells"].values()
        assert max(cell["difference"] for cell in measured) <= 1e-5


def cell(kind, head, method, folder):
    try:
        difference = difference_of(kind, head, method, folder, formats=("litert",))
        return {"difference": difference, "litert": "as Keras"}
    except ExportError as error:
        return {
            "difference": difference_of(kind, head, method, folder),
            "litert": str(error),
        }


def main(folder):
    """Measure what is missing, a cell at a time, so that a run may be stopped."""
    kept = read_record("answers")["cells"] if place_of("answers").exists() else {}
    for parameters in cells():
        key = " | ".join(parameters.values)
        if key not in kept:
            kept[key] = cell(*parameters.values, folder / key)
            print(key, kept[key], flush=True)
            write_record("answers", {"cells": kept}, table)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
