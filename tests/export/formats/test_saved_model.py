"""The SavedModel's signatures."""

import keras
import numpy as np
import tensorflow as tf

from keras_dtl.export.deployable import Deployable
from keras_dtl.export.draft import Draft
from keras_dtl.export.formats.saved_model import write_saved_model
from keras_dtl.images import read_image, resize_image
from keras_dtl.manifest import read_manifest


def smooth_image(height, width):
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([rows * 3, columns * 3, rows + columns], -1)
    return np.minimum(pixels, 255).astype(np.uint8)


def test_serving_default_names_inputs_and_outputs(classifier, classifier_artifact):
    signature = tf.saved_model.load(classifier_artifact / "1").signatures["serving_default"]
    images = np.random.default_rng(1).integers(0, 256, (4, 12, 10, 3), dtype=np.uint8)
    outputs = signature(image=tf.constant(images))
    assert list(outputs) == ["probabilities"]
    np.testing.assert_allclose(outputs["probabilities"], classifier(images), atol=1e-6)


def test_image_bytes_decodes_and_resizes_like_training(classifier, classifier_artifact):
    signature = tf.saved_model.load(classifier_artifact / "1").signatures["image_bytes"]
    large, fitting = smooth_image(40, 30), smooth_image(12, 10)
    encoded = [
        tf.io.encode_png(large).numpy(),
        tf.io.encode_jpeg(fitting, quality=100).numpy(),
        tf.io.encode_png(large[:, :, :1]).numpy(),
    ]
    received = signature(image_bytes=tf.constant(encoded))["probabilities"]
    images = np.stack([resize_image(read_image(data), (12, 10)) for data in encoded])
    # TensorFlow and Pillow round differently when they resize and decode: one level or so.
    np.testing.assert_allclose(received, classifier(images), atol=5e-3)


def test_image_bytes_takes_one_size_a_batch_where_sizes_are_free(generator_artifact):
    signature = tf.saved_model.load(generator_artifact / "1").signatures["image_bytes"]
    for size in ((16, 20), (8, 8)):
        encoded = [tf.io.encode_png(smooth_image(*size)).numpy()] * 2
        images = signature(image_bytes=tf.constant(encoded))["image_out"]
        assert images.shape == (2, *size, 3)
        assert images.dtype == tf.uint8


def test_models_without_one_image_have_no_image_bytes(two_inputs_artifact):
    loaded = tf.saved_model.load(two_inputs_artifact / "1")
    assert set(loaded.signatures) == {"serving_default"}


def test_keras_file_needs_no_code_of_this_package(generator_artifact):
    model = keras.saving.load_model(generator_artifact / "model.keras", safe_mode=True)
    assert isinstance(model, keras.Model)


def test_a_model_is_traced_once_for_all_signatures(
    classifier, classifier_artifact, monkeypatch, tmp_path
):
    draft = Draft(tmp_path, Deployable(classifier), read_manifest(classifier_artifact), [])
    calls, call = [], Deployable.__call__
    monkeypatch.setattr(
        Deployable, "__call__", lambda self, inputs: calls.append(1) or call(self, inputs)
    )
    write_saved_model(draft, tmp_path / "1" / "saved_model.pb")
    assert len(calls) == 1
    loaded = tf.saved_model.load(tmp_path / "1")
    assert len(loaded.variables) == len(classifier.variables)
    assert len(loaded.trainable_variables) == len(classifier.trainable_variables)
    assert set(loaded.signatures) == {"serving_default", "image_bytes"}


def test_lookup_tables_go_with_the_model(generator_artifact, tmp_path):
    code = keras.Input((3,), dtype="int64", name="code")
    index = keras.layers.IntegerLookup(vocabulary=[5, 7, 9])(code)
    model = keras.Model(code, {"index": keras.ops.cast(index, "float32")})
    draft = Draft(tmp_path, Deployable(model), read_manifest(generator_artifact), [])
    write_saved_model(draft, tmp_path / "1" / "saved_model.pb")
    signature = tf.saved_model.load(tmp_path / "1").signatures["serving_default"]
    received = signature(code=tf.constant([[5, 9, 1]], tf.int64))["index"]
    np.testing.assert_array_equal(received, [[1, 3, 0]])
