"""Layers counted as papers count them, through networks inside networks."""

import inspect

import keras
import numpy as np
import pytest
from keras import layers

from keras_dtl import methods
from keras_dtl.backbones import lenet, mlp, pretrained
from keras_dtl.methods import DANN, FineTuning
from keras_dtl.methods.networks import NETWORKS, layers_from, learnt_layers


def nested():
    inner_input = keras.Input((8, 8, 4))
    x = layers.BatchNormalization(name="inner_norm")(layers.Conv2D(4, 3, name="inner")(inner_input))
    inner = keras.Model(inner_input, layers.PReLU(shared_axes=(1, 2), name="slope")(x))
    image = keras.Input((8, 8, 3))
    x = layers.Normalization(mean=0.0, variance=1.0)(image)
    x = layers.BatchNormalization(name="first_norm")(x)
    conv = layers.Conv2D(4, 3, padding="same", name="outer")
    x = layers.Dropout(0.1)(layers.ReLU()(conv(x)))
    twice = layers.Conv2D(4, 1, name="twice")
    return keras.Model(image, layers.Flatten()(inner(twice(twice(x)))))


def test_normalisations_count_with_the_layer_before_them():
    names = [[layer.name for layer in group] for group in learnt_layers(nested())]
    assert names[:2] == [["first_norm", "outer"], ["twice"]]
    assert names[2] == ["inner", "inner_norm", "slope"]


def test_real_networks_have_the_depth_that_papers_give():
    assert len(learnt_layers(lenet((28, 28, 3)))) == 2
    # 1 + 17 blocks of 3, of which the first has 2, + 1
    assert len(learnt_layers(pretrained("MobileNetV2", (32, 32, 3), None))) == 52


@pytest.mark.parametrize(
    ("start", "count"), [("input", 3), ("head", 0), (0, 0), (2, 2), ("inner", 1), ("tw", 2)]
)
def test_start_is_a_word_a_number_or_a_name(start, count):
    groups = learnt_layers(nested())
    assert layers_from(groups, start) == count


@pytest.mark.parametrize("start", [-1, 9, "conv7", True, 1.5])
def test_start_that_is_nowhere_is_refused(start):
    with pytest.raises(ValueError, match="layers"):
        layers_from(learnt_layers(nested()), start)


class OwnModel(keras.Model):
    def __init__(self):
        super().__init__(name="mine")
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        return self.dense(x)


NO_NETWORKS = {
    "an array of shape \\(2, 3\\)": lambda: np.zeros((2, 3)),
    "None": lambda: None,
    "the Sequential 'flat', which was not built. Begin it with keras.Input": (
        lambda: keras.Sequential([keras.layers.Dense(3)], name="flat")
    ),
    "the model 'mine' of your class OwnModel. Wrap it: x = keras.Input": OwnModel,
    "the layer 'one', a Dense. Wrap it": lambda: keras.layers.Dense(3, name="one"),
    "the class Model": lambda: keras.Model,
    "an instance of str": lambda: "model.keras",
}


@pytest.mark.parametrize("words", NO_NETWORKS)
@pytest.mark.parametrize("part", ["encoder", "classifier", "discriminator"])
def test_what_is_no_network_is_named_with_a_remedy(words, part):
    parts = {name: mlp((4,), (), 1) for name in ("encoder", "classifier", "discriminator")}
    parts[part] = NO_NETWORKS[words]()
    with pytest.raises(ValueError, match=f"`{part}` of DANN must be a Keras .*Received: {words}"):
        DANN(**parts)


def test_what_a_model_may_lack_may_be_none():
    assert FineTuning(mlp((4,), (), 3, name="a"), mlp((3,), (), 2), train_from="head")
    signatures = {m.__name__: inspect.signature(m).parameters for m in every_method()}
    optional = [p for ps in signatures.values() for n, p in ps.items() if n in NETWORKS]
    assert any(p.default is None for p in optional)


def every_method():
    found = [getattr(methods, name) for name in methods.__all__]
    return [m for m in found if inspect.isclass(m) and issubclass(m, methods.Method)]


def test_every_argument_that_a_method_cannot_do_without_is_checked():
    for method in every_method():
        parameters = inspect.signature(method).parameters.values()
        kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        needed = {p.name for p in parameters if p.default is p.empty and p.kind not in kinds}
        assert needed <= NETWORKS | {"mean", "deviation", "adaptation_weight"}, method


def test_parts_of_one_name_get_their_own_and_are_joined(tmp_path):
    encoder = mlp((4,), (5,), 6)
    model = DANN(encoder, mlp((6,), (), 3), mlp((6,), (), 1))
    assert [model.encoder.name, model.classifier.name] == ["mlp", "classifier"]
    assert model.discriminator.name == "discriminator"
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(model.deployable()(x), keras.ops.softmax(model(x)), rtol=1e-5)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.save(tmp_path / "model.keras")
    again = methods.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(x), model(x), rtol=1e-6)
    shared = mlp((6,), (), 1, name="shared")
    assert DANN(encoder, shared, shared).classifier.name == "shared"
