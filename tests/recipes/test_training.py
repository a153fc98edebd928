"""A training of one seed is one training, whatever its process did before."""

import dataclasses
import random

import numpy as np
import pytest

from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.training import train


def initial_weights(folder, before):
    """Return the weights that a training begins with, after `before` was done in `load_data`."""
    kind = RECIPES["source-only"]

    @dataclasses.dataclass(frozen=True)
    class Recipe(kind):
        def load_data(self):
            data = super().load_data()
            before()
            return data

        def build_model(self, data):
            model = super().build_model(data)
            began.extend(weight.numpy() for weight in model.encoder.weights)
            return model

    began = []
    recipe = Recipe(source_size=20, target_size=20, epochs=1, min_steps=1, seed=3, output=folder)
    train(recipe)
    return began


@pytest.mark.slow
def test_weights_do_not_depend_on_what_was_prepared_before(tmp_path):
    def prepare():
        random.random()
        np.random.random(7)

    first = initial_weights(tmp_path / "prepared before", lambda: None)
    again = initial_weights(tmp_path / "prepared here", prepare)
    assert len(first) == len(again) > 0
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
