"""Copied layers equal their source, frozen ones stay so, random ones differ."""

import numpy as np
import pytest

from keras_dtl.methods.transfer.layer_transfer import copy_layers, layer_transfer
from tests.methods.transfer.test_fine_tuning import batch, deep_encoder, weights_by_layer
from tests.networks import CLASSES, compiled, dense


def same(ours, theirs):
    pairs = zip(ours, theirs, strict=True)
    return [all(map(np.array_equal, first, second)) for first, second in pairs]


@pytest.mark.parametrize(("count", "tuned"), [(1, False), (2, False), (2, True), (3, False)])
def test_copied_layers_equal_their_source_and_stay_so_where_frozen(count, tuned):
    source = compiled(layer_transfer(deep_encoder(), dense(CLASSES)))
    source.train_step(batch())
    model = compiled(layer_transfer(deep_encoder(), dense(CLASSES), source.encoder, count, tuned))
    lower, upper = [True] * count, [False] * (3 - count)
    assert same(weights_by_layer(model), weights_by_layer(source)) == lower + upper
    model.train_step(batch(seed=1))
    still = [False] * count if tuned else lower
    assert same(weights_by_layer(model), weights_by_layer(source)) == still + upper


def test_random_frozen_layers_differ_and_stay():
    models = [layer_transfer(deep_encoder(), dense(CLASSES), None, 2, False) for _ in range(2)]
    start = weights_by_layer(compiled(models[0]))
    kernels = [[group[:1] for group in weights_by_layer(model)] for model in models]
    assert same(*kernels) == [False] * 3
    models[0].train_step(batch())
    assert same(weights_by_layer(models[0]), start) == [True, True, False]


@pytest.mark.parametrize("count", [-1, 4])
def test_a_layer_that_is_not_there_is_refused(count):
    with pytest.raises(ValueError, match="0 to 3"):
        layer_transfer(deep_encoder(), dense(CLASSES), None, count)
    with pytest.raises(ValueError, match="0 to 3"):
        copy_layers(deep_encoder(), deep_encoder(), count)
