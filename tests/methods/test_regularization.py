"""Penalties that layers put on their weights count once in what every method minimises."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import DACS, DANN, SHOT
from tests.methods.adaptation import test_dense as segmentation
from tests.methods.adaptation import test_every_adaptation as adaptation
from tests.methods.style import test_fast_style as style
from tests.methods.test_training_mode import CASES as NETWORKS
from tests.networks import CLASSES, compiled, dense, encoder

RATE, WEIGHT = 1e-4, 10.0
CASES = {
    **{name: case[:2] for name, case in NETWORKS.items()},
    "shot": (
        lambda: SHOT(encoder(), dense(CLASSES)),
        lambda: {"target": adaptation.images(4)},
    ),
    "dacs": (
        lambda: DACS(segmentation.encoder(), segmentation.pointwise(CLASSES)),
        lambda: segmentation.batch(labels=np.zeros((3, *segmentation.SIZE))),
    ),
}


SEVERAL_CALLS = (
    *("adda", "pix2pix", "pix2pix_wgan_gp", "cyclegan", "swap_vae", "gmv", "cgmv", "cgmv_wgan_gp"),
    *("sequence_gmv", "sequence_style_transfer", "autoencoder", "mme", "separate"),
)


def made(name):
    """Return the method of a case, compiled."""
    model = CASES[name][0]()
    if name == "fast_style":
        model.learn_styles([style.picture(10, (20, 24))])
    players = {player: keras.optimizers.SGD(RATE) for player in model.player_optimizers}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    given = {} if model.own_losses else {"loss": loss}
    model.compile(keras.optimizers.SGD(RATE), **given, **players)
    return model


def step(model, data, weight):
    """Return what moved in one step, from where and how far, and the logs."""
    keras.utils.set_random_seed(0)
    moved = [v for player in model.optimized_variables() for v in model.moved_variables(player)]
    if weight:
        for variable in moved:
            variable.regularizer = keras.regularizers.L2(weight)
    before = [v.numpy() for v in moved]
    logs = {name: float(value) for name, value in model.train_step(data).items()}
    return before, [v.numpy() - b for v, b in zip(moved, before, strict=True)], logs


@pytest.mark.parametrize("name", CASES)
def test_penalties_on_weights_count_once(name):
    model, data = made(name), CASES[name][1]()
    assert not model.player_optimizers or name in SEVERAL_CALLS
    start = [v.numpy() for v in model.variables]
    before, plain, logs = step(model, data, 0.0)
    for variable, value in zip(model.variables, start, strict=True):
        variable.assign(value)
    _, steps, penalized = step(model, data, WEIGHT)
    for start, without, moved in zip(before, plain, steps, strict=True):
        slope = (without - moved) / RATE
        np.testing.assert_allclose(slope, 2 * WEIGHT * start, rtol=0.02, atol=0.05)
    assert penalized["loss"] > logs["loss"]
    for term in {"label_loss", "discriminator_loss", "critic_loss"} & set(logs):
        assert penalized[term] == pytest.approx(logs[term], rel=0.02, abs=1e-4)


def test_what_layers_add_as_they_are_called_counts_for_both_players_of_a_reversal():
    judge = dense(1)
    judge.layers[-1].activity_regularizer = keras.regularizers.L2(2.0)
    model, data = compiled(DANN(encoder(), dense(CLASSES), judge)), adaptation.full_batch()
    images = tf.concat([data["source"][0], data["target_labelled"][0], data["target"]], 0)
    logits = model.discriminator(model.encoder(images)).numpy()
    logs = {name: float(value) for name, value in model.train_step(data).items()}
    added = 2.0 * (logits**2).sum() / len(images)
    assert logs["loss"] == pytest.approx(logs["label_loss"] + logs["domain_loss"] + added, rel=1e-4)


@pytest.mark.parametrize("name", SEVERAL_CALLS)
def test_what_layers_add_in_one_of_several_calls_is_refused_by_the_name_of_the_layer(name):
    maker, batch = CASES["dan" if name == "separate" else name][:2]
    model = maker()
    if name == "separate":
        model = type(model)(encoder(True), dense(CLASSES), batch_norm="separate")
    parts = ("classifier",) if name == "mme" else ("generator_a_to_b", "generator", "encoder")
    part = next(part for part in (*parts, "content_encoder") if hasattr(model, part))
    layer = getattr(model, part).layers[-1]
    layer.activity_regularizer = keras.regularizers.L2(2.0)
    players = {player: keras.optimizers.SGD(RATE) for player in model.player_optimizers}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    given = {} if model.own_losses else {"loss": loss}
    model.compile(keras.optimizers.SGD(RATE), **given, **players)
    with pytest.raises(ValueError, match=f"several times.*Received: {layer.name}"):
        model.train_step(batch())
