"""What a training's settings are where flags leave them open."""

import math

import numpy as np
import pytest

from keras_dtl.callbacks import constant, warm_up
from keras_dtl.data import LabelledImages
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.encoders import new_encoder
from keras_dtl.recipes.rates import backbone_of
from keras_dtl.recipes.shot import Target


@pytest.mark.parametrize(
    ("size", "preset", "expected"),
    [
        (28, "robust", "lenet"),
        (32, "robust", "lenet"),
        (33, "robust", "stage_net"),
        (64, "paper", "lenet"),
    ],
)
def test_size_decides_the_backbone(size, preset, expected):
    assert backbone_of("auto", (size, size, 3), preset) == expected
    assert backbone_of("MobileNetV2", (size, size, 3), preset) == "MobileNetV2"


def test_weights_make_an_encoder_learn_slowly_and_keep_its_statistics():
    recipe = RECIPES["dann"](weights="imagenet", backbone="MobileNetV2")
    assert recipe.training.encoder_rate == 0.1
    assert recipe.training.global_clipnorm == 10.0
    assert recipe.normalization == "frozen"
    fine = RECIPES["fine-tuning"](start="imagenet", backbone="MobileNetV2")
    assert fine.training.learning_rate * fine.training.encoder_rate == pytest.approx(1e-3)
    assert (fine.normalization, RECIPES["fine-tuning"]().normalization) == ("frozen", "moving")


def test_paper_and_given_rates_win():
    paper = RECIPES["dann"](preset="paper")
    assert paper.training == (0.01, 1.0, None, 0.0)
    assert paper.optimizers()["optimizer"].global_clipnorm is None
    given = RECIPES["dann"](learning_rate=0.3, encoder_rate=0.5).training
    assert (given.learning_rate, given.encoder_rate) == (0.3, 0.5)
    assert RECIPES["dann"]().optimizers()["optimizer"].global_clipnorm == 10.0


def test_weights_without_an_architecture_are_refused():
    with pytest.raises(ValueError, match="--backbone MobileNetV2"):
        new_encoder("auto", (64, 64, 3), "imagenet")


def test_warm_up_rises_to_the_schedule_and_follows_it():
    warm = warm_up(constant(2.0), share=0.1)
    assert [round(warm(p), 3) for p in (0.0, 0.05, 0.1, 0.5)] == [0.02, 1.01, 2.0, 2.0]
    assert warm_up(constant(1.0), share=0)(0) == 1.0
    assert math.isclose(RECIPES["dann"]().schedules()["optimizer.learning_rate"](0.0), 1e-4)


@pytest.mark.parametrize(("size", "waits"), [(28, False), (64, True)])
def test_adversary_waits_on_images_larger_than_digits(size, waits):
    encoder = new_encoder("auto", (size, size, 3))
    assert RECIPES["dann"]().is_restrained(encoder) == waits
    assert not RECIPES["dann"](preset="paper").is_restrained(encoder)


def test_adapting_without_the_source_is_warmed_up_and_clipped():
    assert RECIPES["shot"]().training == (0.01, 0.1, 1.0, 0.05)
    assert RECIPES["shot"](preset="paper").training == (0.01, 0.1, None, 0.0)
    assert RECIPES["shot"](learning_rate=0.1).training.learning_rate == 0.1
    schedule, _ = RECIPES["shot"]().callbacks(Target(images(), None, ("a", "b")))
    assert math.isclose(schedule.schedules["optimizer.learning_rate"](0.0), 1e-4)


def images():
    return LabelledImages(np.zeros((4, 8, 8, 3), "uint8"))
