"""Every network of every method is told whether it learns: dropout and its like depend on it."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl import methods
from keras_dtl.methods import DACS, SHOT, FastStyle, FineTuning, Method, StyleTransfer
from tests.methods.adaptation import test_dense as segmentation
from tests.methods.adaptation import test_every_adaptation as adaptation
from tests.methods.adaptation import test_shot as shot
from tests.methods.motion import test_motion_methods as motion
from tests.methods.separation import test_gmv as gmv
from tests.methods.separation import test_swap_vae as swap_vae
from tests.methods.style import test_fast_style as style
from tests.methods.translation import test_translation as translation
from tests.networks import CLASSES, dense, encoder, features

FROZEN = {
    ("ADDA", "source_encoder"),  # stays as the first stage left it
    ("ADDA", "classifier"),
    ("FastStyle", "features"),  # describes, and never learns
}
CALLS = []
"""`(network, training)` of every call."""


class Spy(keras.layers.Layer):
    """Notes how its network was called."""

    def __init__(self, network, **kwargs):
        super().__init__(**kwargs)
        self.network = network

    def call(self, inputs, training=None):
        CALLS.append((self.network, training))
        return inputs


def watched(name, network):
    """Return a network with a spy before everything else."""
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in network.inputs]
    seen = [Spy(name, dtype=x.dtype)(x) for x in inputs]
    single = len(inputs) == 1
    outputs = network(seen[0] if single else seen)
    return keras.Model(inputs[0] if single else inputs, outputs, name=network.name)


def fast_style():
    return style.make(learnt=False)


def sized(model):
    """Return a method of translation whose generators take any size, as a deployed one must."""
    for name in ("generator", "generator_a_to_b", "generator_b_to_a"):
        if name in model.get_config():
            setattr(model, name, translation.generator(size=(None, None)))
    return model


def image_pairs():
    return translation.images(2), translation.images(2, 1)


def motion_pairs():
    first, _, label = motion.batch(8)
    return {"first": first, "second": first[::-1], "label": label}


def labelled():
    return adaptation.images(4), adaptation.labels(4)


def codes(count, *sizes):
    return [tf.ones((count, size)) for size in sizes]


def gmv_codes():
    return codes(2, gmv.CONTENT, gmv.STYLE)


def of_view():
    return [swap_vae.batch()["first"], tf.ones((6, gmv.STYLE))]


def of_swap():
    return [swap_vae.batch()[name] for name in ("first", "other")]


CASES = {
    **{
        name: (maker, adaptation.full_batch, lambda: adaptation.images(3))
        for name, maker in adaptation.MAKERS.items()
    },
    "fine_tuning": (
        lambda: FineTuning(encoder(True), dense(CLASSES)),
        labelled,
        lambda: adaptation.images(3),
    ),
    "pix2pix": (lambda: sized(translation.pix2pix()), image_pairs, lambda: image_pairs()[0]),
    "pix2pix_wgan_gp": (
        lambda: sized(translation.pix2pix(adversarial="wgan_gp")),
        image_pairs,
        lambda: image_pairs()[0],
    ),
    "cyclegan": (
        lambda: sized(translation.cyclegan(pool_size=0)),
        image_pairs,
        lambda: image_pairs()[0],
    ),
    "fast_style": (fast_style, style.photos, style.photos),
    "swap_vae": (lambda: swap_vae.swap_vae(mode="leak_free"), swap_vae.batch, of_swap),
    "gmv": (lambda: gmv.gmv(extension=True), swap_vae.batch, gmv_codes),
    "cgmv": (gmv.cgmv, swap_vae.batch, of_view),
    "cgmv_wgan_gp": (lambda: gmv.cgmv(adversarial="wgan_gp"), swap_vae.batch, of_view),
    "sequence_gmv": (motion.pairs, motion_pairs, lambda: codes(2, 5, 3)),
    "sequence_style_transfer": (motion.transfer, motion.batch, lambda: [motion.batch()[0]] * 2),
    "autoencoder": (
        motion.autoencoder,
        lambda: motion.batch()[0],
        lambda: motion.batch()[0],
    ),
}
EVERY = pytest.mark.parametrize("name", CASES)


def networks_of(model):
    names = model.get_config()
    return {n: getattr(model, n) for n in names if isinstance(getattr(model, n), keras.Model)}


@functools.cache
def spied(name):
    """Return the method of a case with a spy in each of its networks, compiled."""
    plain = CASES[name][0]()
    arguments = {n: getattr(plain, n) for n in plain.get_config()}
    arguments |= {n: watched(n, network) for n, network in networks_of(plain).items()}
    model = type(plain)(**arguments)
    if isinstance(model, FastStyle):
        model.learn_styles([style.picture(10, (20, 24))])
    players = {player: keras.optimizers.SGD(0.01) for player in model.player_optimizers}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    given = {} if model.own_losses else {"loss": loss}
    model.compile(keras.optimizers.SGD(0.01), **given, **players)
    return model


@pytest.fixture(autouse=True)
def _no_calls_yet():
    CALLS.clear()


@EVERY
def test_networks_learn_in_a_training_step_alone(name):
    model = spied(name)
    CALLS.clear()
    model.train_step(CASES[name][1]())
    assert {network for network, _ in CALLS} == set(networks_of(model))
    for network, training in CALLS:
        assert training is ((type(model).__name__, network) not in FROZEN), network


TERMS = ("loss", "domain_accuracy", "pseudo_labelled", "certain")


@EVERY
def test_terms_of_an_epoch_weigh_batches_by_their_examples(name):
    model, batch = spied(name), CASES[name][1]()
    model.reset_metrics()
    parts = batch if isinstance(batch, tuple) else (batch,)
    model.train_step((*parts, None))  # as `train_on_batch`, generators and `PyDataset`s give it
    of_domains = isinstance(batch, dict) and "source" in batch
    known = [batch[name][1] for name in ("source", "target_labelled")] if of_domains else []
    count = sum(map(len, known)) if known else len(tf.nest.flatten(batch)[0])
    counts = {metric.name: int(metric.count) for metric in model.metrics if metric.name in TERMS}
    assert counts.pop("loss") == count
    if of_domains:
        target = len(batch["target"])
        judged = {"domain_accuracy": count + target}
        assert counts == {name: judged.get(name, target) for name in counts}


@EVERY
def test_networks_rest_when_the_model_is_called(name):
    model, inputs = spied(name), CASES[name][2]()
    CALLS.clear()
    model(inputs)
    assert CALLS and all(training is False for _, training in CALLS), CALLS


@EVERY
def test_networks_rest_in_what_is_deployed(name):
    model = spied(name)
    parts = model.parts() if hasattr(model, "parts") else {}
    for deployed in (model.deployable(), *parts.values()):
        inputs = [np.ones([n or 8 for n in (2, *x.shape[1:])], x.dtype) for x in deployed.inputs]
        CALLS.clear()
        deployed(inputs[0] if len(inputs) == 1 else inputs)
        assert CALLS and all(training is False for _, training in CALLS), CALLS


@pytest.mark.parametrize("name", ["dann", "adda", "dan", "fine_tuning"])
def test_networks_rest_in_evaluation(name):
    model = spied(name)
    CALLS.clear()
    model.evaluate(*labelled(), verbose=0)
    assert CALLS and all(training is False for _, training in CALLS), CALLS


def test_network_of_style_transfer_rests():
    network = watched("features", features())
    model = StyleTransfer(network, content_layers=("high",), style_layers=("low",))
    CALLS.clear()
    model(style.picture(0)[None].astype("float32"))
    model.describe(style.picture(0)[None].astype("float32"))
    assert CALLS and all(training is False for _, training in CALLS)


def test_encoder_of_shot_learns_in_a_training_step_alone():
    # Its classifier is frozen and taken apart in layers, which no network around it could be.
    model = SHOT(watched("encoder", encoder()), shot.classifier())
    model.compile(keras.optimizers.SGD(0.1))
    model.refresh(adaptation.images(4))
    for act, training in (
        (lambda: model.train_step({"target": adaptation.images(4)}), True),
        (lambda: model(adaptation.images(4)), False),
    ):
        CALLS.clear()
        act()
        assert CALLS and all(told is training for _, told in CALLS), CALLS


def test_teacher_of_dacs_rests_while_the_others_learn():
    networks = segmentation.encoder(), segmentation.pointwise(CLASSES)
    model = DACS(*map(watched, ("encoder", "classifier"), networks))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    CALLS.clear()
    model.train_step(segmentation.batch(labels=np.zeros((3, *segmentation.SIZE))))
    teacher, learning = ([("encoder", told), ("classifier", told)] for told in (False, True))
    assert [*teacher, *learning] == CALLS


def test_every_method_is_watched():
    watched_classes = {type(spied(name)) for name in CASES} | {StyleTransfer, SHOT, DACS}
    public = (getattr(methods, name) for name in methods.__all__)
    every = {c for c in public if isinstance(c, type) and issubclass(c, Method)}
    assert every - watched_classes == {Method, methods.DomainAdaptation}
