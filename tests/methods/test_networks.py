"""Layers counted as papers count them, through networks inside networks."""

import keras
import pytest
from keras import layers

from keras_dtl.backbones import lenet, pretrained
from keras_dtl.methods.networks import layers_from, learnt_layers


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
