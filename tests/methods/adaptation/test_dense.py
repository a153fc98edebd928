"""Methods of domain adaptation on segmenters: a classifier of each position."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_dtl.methods import DACS, DAN, DANN, DeepCORAL, SourceOnly
from keras_dtl.methods.adaptation.domain_outputs import DomainOutputs
from keras_dtl.methods.adaptation.layer_alignment import pixels
from tests.networks import CLASSES

SIZE = (9, 13)
VOID = 255


def encoder():
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 255)(image)
    return keras.Model(image, layers.Conv2D(5, 3, 2, activation="relu", bias_initializer="ones")(x))


def pointwise(outputs, channels=5):
    maps = keras.Input((None, None, channels))
    return keras.Model(maps, layers.Conv2D(outputs, 1)(maps))


MAKERS = {
    "source_only": lambda: SourceOnly(encoder(), pointwise(CLASSES)),
    "dann": lambda: DANN(encoder(), pointwise(CLASSES), pointwise(1)),
    "output_space": lambda: DANN(
        encoder(), pointwise(CLASSES), pointwise(1, CLASSES), discriminated="probabilities"
    ),
    "advent": lambda: DANN(
        encoder(), pointwise(CLASSES), pointwise(1, CLASSES), discriminated="self_information"
    ),
    "dan": lambda: DAN(encoder(), pointwise(CLASSES)),
    "dacs": lambda: DACS(encoder(), pointwise(CLASSES)),
    "deep_coral": lambda: DeepCORAL(encoder(), pointwise(CLASSES), compared=("features",)),
}


def make(name):
    model = MAKERS[name]()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=VOID)
    model.compile(keras.optimizers.SGD(0.5), loss)
    return model


def batch(seed=0, labels=None):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2, 3, *SIZE, 3)).astype("uint8")
    if labels is None:
        labels = rng.integers(0, CLASSES, (3, *SIZE))
        labels[:, :2] = VOID
    return {
        "source": (tf.constant(images[0]), tf.constant(labels, "int32")),
        "target": tf.constant(images[1]),
    }


@pytest.mark.parametrize("name", MAKERS)
def test_encoder_learns_the_task_and_the_adaptation(name):
    model = make(name)
    before = model.encoder.get_weights()[0]
    labels = np.full((3, *SIZE), VOID)
    labels[:, 0, 0] = 1  # hardly a task is left
    terms = model.train_step(batch(labels=labels))
    assert all(np.isfinite(float(value)) for value in terms.values())
    assert not np.array_equal(model.encoder.get_weights()[0], before)
    assert model.task == "segmentation"


def test_void_pixels_teach_nothing():
    model = make("source_only")
    images, labels = batch()["source"]
    logits = model(images)
    known = labels != VOID
    ordinary = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = ordinary(labels[known], logits[known])
    loss = model.compute_loss(y=labels, y_pred=logits)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_weights_of_images_count_for_all_their_pixels():
    labels = np.random.default_rng(1).integers(0, CLASSES, (3, *SIZE)).astype("int32")
    data = batch(labels=labels)
    x = np.random.default_rng(0).integers(0, 256, (13, *SIZE, 3)).astype("uint8")
    y = np.random.default_rng(0).integers(0, CLASSES, (13, *SIZE)).astype("int32")
    weight = np.random.default_rng(0).uniform(size=13).astype("float32")  # as many as columns
    model = make("dann")

    def losses(x, y):
        logits = tf.nn.log_softmax(model(x)).numpy()
        return -np.take_along_axis(logits, y[..., None], -1)[..., 0]

    expected = weight[:, None, None] * losses(x, y)
    known = losses(data["source"][0], labels)
    for more, each in (({}, [expected]), ({"target_labelled": data["source"]}, [expected, known])):
        start = model.get_weights()
        logs = model.train_step({"source": (x, y, weight), "target": data["target"], **more})
        model.set_weights(start)
        assert float(logs["label_loss"]) == pytest.approx(np.concatenate(each).mean(), rel=1e-4)
        model.reset_metrics()
    scored = model.test_step((x, y, weight))
    assert float(scored["loss"]) == pytest.approx(expected.mean(), rel=1e-4)
    model.reset_metrics()
    of_pixels = np.random.default_rng(2).uniform(size=y.shape)  # none of the images for DANN
    expected = of_pixels * losses(x, y)
    logs = model.train_step({"source": (x, y, of_pixels), "target": data["target"]})
    assert float(logs["label_loss"]) == pytest.approx(expected.mean(), rel=1e-4)


@pytest.mark.parametrize("size", [(9, 13), (16, 8), (5, 31)])
def test_deployed_segmenter_keeps_every_size(size):
    model = make("dann")
    images = np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype("uint8")
    answer = model.deployable()(images)
    assert (answer.shape, answer.dtype) == ((2, *size), "uint8")
    np.testing.assert_array_equal(answer, np.argmax(model(images), -1))


def test_pixels_are_means_of_cells():
    maps = np.random.default_rng(0).normal(size=(3, 16, 24, 2)).astype("float32")
    examples, count = pixels(tf.constant(maps), 1)
    expected = maps.reshape(3, 8, 2, 8, 3, 2).mean((2, 4)).reshape(-1, 2)
    np.testing.assert_allclose(examples, expected, atol=1e-6)
    assert count == 64


def test_self_information_sums_to_one_where_all_classes_are_as_likely_and_to_zero_where_one_is():
    model = make("advent")
    logits = np.zeros((2, 1, 1, CLASSES), "float32")
    logits[1, ..., 0] = 1e4
    seen = model.evidence(DomainOutputs(None, tf.constant(logits), 1))
    assert np.asarray(seen).sum(-1).ravel() == pytest.approx([1.0, 0.0])


def test_discriminated_is_one_of_three():
    with pytest.raises(ValueError, match="discriminated"):
        DANN(encoder(), pointwise(CLASSES), pointwise(1), discriminated="logits")
