import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl import backbones
from keras_dtl.layers import PlantFeet, SmoothFrames
from keras_dtl.losses import velocity_error
from keras_dtl.methods import (
    SequenceGMV,
    SequenceStyleTransfer,
    SequentialAdversarialAutoencoder,
)

FEATURES, STYLES, ACTIONS = 7, 3, 2
FRAMES = 9
SCALE = ([0.5] * FEATURES, [2.0] * FEATURES)


def transfer(kind="convolutional", **kwargs):
    sizes = {"filters": 4, "kind": kind}
    model = SequenceStyleTransfer(
        backbones.content_encoder(FEATURES, content=5, **sizes),
        backbones.style_encoder(FEATURES, style=3, **sizes),
        backbones.motion_decoder(FEATURES, content=5, style=3, **sizes),
        backbones.motion_critic(FEATURES, STYLES, ACTIONS, filters=4),
        backbones.code_classifier(5, STYLES, hidden=4),
        backbones.mlp((3,), (4,), STYLES),
        *SCALE,
        **kwargs,
    )
    return compiled(model)


still = functools.cache(transfer)
"""For tests that leave it as it is."""


def autoencoder(num_classes=0, kind="recurrent", **kwargs):
    networks = (
        backbones.recurrent_encoder(FEATURES, 4, 3),
        backbones.recurrent_decoder(FEATURES, 4, 3 + num_classes),
    )
    if kind == "implicit":
        networks = (
            backbones.implicit_encoder(FEATURES, FRAMES, 4, 3),
            backbones.implicit_decoder(FEATURES, FRAMES, 4, 3 + num_classes),
        )
    model = SequentialAdversarialAutoencoder(
        *networks,
        backbones.mlp((3 + num_classes,), (4,), 1),
        *SCALE,
        num_classes=num_classes,
        **kwargs,
    )
    return compiled(model)


def pairs():
    model = SequenceGMV(
        backbones.motion_generator(FEATURES, 8, 4, content=5, style=3, modes=3),
        backbones.motion_pair_discriminator(FEATURES, 4),
        *SCALE,
        classifier=backbones.motion_classifiers(FEATURES, 5, 4, count=2),
        adversarial="hinge",
        real_penalty_weight=1.0,
    )
    return compiled(model, "discriminator_optimizer")


def compiled(model, player="critic_optimizer"):
    model.compile(keras.optimizers.Adam(0.01), **{player: keras.optimizers.Adam(0.01)})
    return model


def batch(frames=FRAMES):
    random = np.random.default_rng(0)
    motion = random.normal(size=(6, frames, FEATURES)).astype("float32")
    return tuple(map(tf.constant, (motion, [0, 1, 2, 0, 1, 2], [0, 1, 0, 1, 0, 1])))


@pytest.mark.parametrize(
    "kind", ["convolutional", pytest.param("recurrent", marks=pytest.mark.slow)]
)
def test_transfer_learns_and_keeps_the_length(kind):
    model = transfer(kind)
    before = [w.numpy() for w in model.trainable_variables]
    first = model.train_step(batch())
    assert set(first) >= {*model.tracked, "loss"}
    assert all(np.isfinite(float(value)) for value in first.values())
    moved = [np.abs(w.numpy() - b).max() > 0 for w, b in zip(model.trainable_variables, before)]
    assert np.mean(moved) > 0.9
    motion = batch(10)[0]
    assert model((motion, motion[:, :6])).shape == motion.shape


@pytest.mark.slow
def test_reconstruction_falls():
    model = transfer()
    losses = []
    for _ in range(15):
        model.reset_metrics()
        losses.append(float(model.train_step(batch())["reconstruction_loss"]))
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("part", ["transfer", "encoder", "decoder"])
def test_what_is_deployed_is_what_the_model_computes(part):
    model = still("convolutional")
    deployed = model.deployable(part)
    motion, other = batch(10)[0], batch(6)[0][::-1]
    if part == "transfer":
        received, expected = deployed([motion, other]), model((motion, other))
    elif part == "encoder":
        received = deployed(motion)["content_codes"]
        expected = model.content_encoder(model.normalize(motion))
    else:
        codes = model.content_encoder(model.normalize(motion))
        style = model.style_encoder(model.normalize(other))
        received, expected = deployed([codes, style])[:, :10], model((motion, other))
    np.testing.assert_allclose(received, expected, atol=1e-4)
    with pytest.raises(ValueError, match="must be transfer"):
        model.deployable("half")


@pytest.mark.parametrize("kind", ["convolutional", "recurrent"])
def test_one_style_for_all(kind):
    model = still(kind)
    motion, style = batch(10)[0], batch(6)[0].numpy()[4]
    fixed = model.in_style_of(style)
    expected = model((motion, np.repeat(style[None], len(motion), 0)))
    np.testing.assert_allclose(fixed(motion), expected, atol=1e-5)
    assert set(model.parts()) == {"transfer", "encoder", "decoder"}


def test_the_critic_does_not_move_the_coders_and_the_other_way_round():
    model = still("convolutional")
    variables = model.optimized_variables()
    ours, theirs = ({id(v) for v in group} for group in variables.values())
    assert not ours & theirs
    assert ours | theirs == {id(v) for v in model.trainable_variables}


def test_real_motion_is_judged_by_its_style_and_action_and_made_motion_by_the_wanted_ones():
    model = transfer(real_penalty_weight=0.0)
    motion, style, action = batch()
    other = tf.roll(style, 1, 0)
    columns = np.arange(1.0, STYLES + ACTIONS + 1)  # one number for each style, then each action
    answers = {
        "real": tf.constant(np.tile(columns, (6, 3, 1)), "float32"),
        "style": tf.zeros((6, STYLES)),
        "action": tf.zeros((6, ACTIONS)),
    }

    def judge(x, training):
        return {name: value * (1 if x is motion else -1) for name, value in answers.items()}

    model.critic = judge
    loss = model.critic_loss(motion, motion + 1, style, action, other)
    judged = [
        sign * (columns[labels] + columns[STYLES + action.numpy()])
        for sign, labels in ((1, style.numpy()), (-1, other.numpy()))
    ]
    hinge = 0.5 * (np.maximum(0, 1 - judged[0]).mean() + np.maximum(0, 1 + judged[1]).mean())
    assert float(loss) == pytest.approx(hinge + np.log(STYLES) + np.log(ACTIONS), rel=1e-5)


def test_the_penalty_is_that_of_the_slope_at_real_motion():
    plain, held = transfer(real_penalty_weight=0.0), transfer(real_penalty_weight=2.0)
    held.set_weights(plain.get_weights())
    motion, style, action = batch()
    losses = [m.critic_loss(motion, -motion, style, action, style) for m in (held, plain)]
    with tf.GradientTape() as tape:
        tape.watch(motion)
        real = plain.critic(motion)["real"]
        judged = [
            real[row, :, label]
            for row, (one, other) in enumerate(zip(style.numpy(), action.numpy(), strict=True))
            for label in (one, STYLES + other)
        ]
        total = tf.add_n(judged)
    slopes = tape.gradient(total, motion)
    penalty = 0.5 * np.square(slopes).sum((1, 2)).mean()
    assert penalty > 0
    assert float(losses[0] - losses[1]) == pytest.approx(2 * penalty, rel=1e-3)


def test_made_motion_does_not_tremble():
    decoder = backbones.motion_decoder(FEATURES, filters=16, content=5, style=3)
    random = np.random.default_rng(0)
    codes = random.normal(size=(8, 16, 5)), random.normal(size=(8, 3))
    made = decoder(list(codes), training=True)  # before what is made is smoothed
    power = np.square(np.abs(np.fft.rfft(made, axis=1))).mean((0, 2))
    assert power[-4:].mean() < 0.2 * power[1:].mean()  # waves of two frames


def test_what_trembles_even_so_is_smoothed_once_it_is_learnt():
    sizes = {"filters": 16, "content": 5, "style": 3}
    random = np.random.default_rng(0)
    inputs = random.normal(size=(8, 5)), random.normal(size=(8, 3))
    generator = backbones.motion_generator(FEATURES, 64, **sizes)
    learns, learnt = (generator(list(inputs), training=training) for training in (True, False))
    inner = slice(4, -4)  # all are means over time, but for the ends
    np.testing.assert_allclose(learnt[:, inner], SmoothFrames()(learns)[:, inner], atol=1e-5)


def test_feet_are_held_in_all_that_is_transferred(tmp_path):
    free = transfer()
    model = SequenceStyleTransfer.from_config({**free.get_config(), "legs": [[1.0]]})
    model.build()
    free.set_weights(model.get_weights())
    motion = batch(5)[0]
    expected = PlantFeet([[1.0]])(free((motion, motion)))
    assert np.abs(expected - free((motion, motion))).max() > 1e-3
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for made in (
        *(each((motion, motion)) for each in (model, loaded)),
        model.deployable()([motion, motion]),
    ):
        np.testing.assert_allclose(made, expected, atol=1e-4)
    made = model.in_style_of(motion[0])(motion)
    np.testing.assert_allclose(made[0], expected[0], atol=1e-4)
    with pytest.raises(ValueError, match="a row for each bone, 1 for 7 features. Received: 2"):
        SequenceStyleTransfer.from_config({**free.get_config(), "legs": [[1.0], [1.0]]})


def test_drawn_motion_is_calmer_than_what_is_decoded():
    sizes = {"filters": 16, "content": 5, "style": 3}
    decoder = backbones.motion_decoder(FEATURES, **sizes)
    generator = backbones.motion_generator(FEATURES, 64, **sizes)
    random = np.random.default_rng(0)
    style = random.normal(size=(8, 3))
    decoded = decoder([random.normal(size=(8, 16, 5)), style], training=True)
    drawn = generator([random.normal(size=(8, 5)), style], training=True)
    assert jerk(drawn) < 0.7 * jerk(decoded)


def jerk(motion):
    return np.abs(np.diff(motion, 3, axis=1)).mean() / np.std(motion, 1).mean()


def test_features_must_fit():
    config = {**transfer().get_config(), "mean": [0.0]}
    with pytest.raises(ValueError, match="one number for each feature"):
        SequenceStyleTransfer.from_config(config)


def test_implicit_networks_make_motion_of_one_length():
    model = autoencoder(3, "implicit")
    motion, labels, _ = batch()
    losses = [float(model.train_step((motion, labels))["reconstruction_loss"]) for _ in range(4)]
    assert losses[-1] < losses[0]
    assert model((motion, labels)).shape == motion.shape
    assert model.sample(2, FRAMES, tf.constant([0, 2])).shape == (2, FRAMES, FEATURES)
    with pytest.raises(ValueError, match=f"of {FRAMES} frames. Received: length {FRAMES + 1}"):
        model.sample(2, FRAMES + 1, tf.constant([0, 2]))
    assert model.deployable().input_shape == (None, FRAMES, 7)
    assert model.deployable("encoder").input_shape == (None, FRAMES, FEATURES)


@pytest.mark.parametrize("num_classes", [pytest.param(0, marks=pytest.mark.slow), 3])
def test_autoencoder_learns_and_samples(num_classes):
    model = autoencoder(num_classes)
    motion, labels, _ = batch(5)
    data = (motion, labels) if num_classes else motion
    losses = []
    for _ in range(4):
        model.reset_metrics()
        losses.append(float(model.train_step(data)["reconstruction_loss"]))
    assert losses[-1] < losses[0]
    assert model(data).shape == motion.shape
    new = model.sample(4, 13, tf.constant([0, 1, 2, 0]) if num_classes else None)
    assert new.shape == (4, 13, FEATURES) and np.isfinite(new).all()
    assert set(model.parts()) == {"generator", "encoder", "decoder"}
    code = model.deployable("encoder")(motion)["code"]
    np.testing.assert_allclose(code, model.encoder((motion - 0.5) / 2.0), atol=1e-5)
    assert model.deployable()(tf.zeros((2, 5, 4 + num_classes))).shape == (2, 5, FEATURES)


def test_the_critic_is_told_the_label():
    model = autoencoder(3)
    seen = []
    model.critic.call, plain = lambda x, **kwargs: seen.append(x) or plain(x), model.critic.call
    model.train_step((batch(5)[0], batch(5)[1]))
    assert len(seen) == 3  # codes for the encoder, draws, codes for the critic
    for inputs in seen:
        np.testing.assert_array_equal(np.argmax(inputs[:, 3:], 1), [0, 1, 2, 0, 1, 2])
    config = {**model.get_config(), "num_classes": 2}
    with pytest.raises(ValueError, match="`num_classes` more"):
        SequentialAdversarialAutoencoder.from_config(config)


@pytest.mark.parametrize("make", [transfer, autoencoder])
def test_save_and_load(make, tmp_path):
    model = make()
    data = batch(5) if make is transfer else batch(5)[0]
    model.train_step(data)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    inputs = (data[0], data[0]) if make is transfer else data
    np.testing.assert_allclose(again(inputs), model(inputs), atol=1e-6)
    assert again.critic_optimizer.iterations == 1


def test_velocity_error_by_hand():
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 3, 5, 2))
    expected = np.mean((np.diff(a, axis=1) - np.diff(b, axis=1)) ** 2)
    np.testing.assert_allclose(velocity_error(a, b), expected, rtol=1e-5)
    np.testing.assert_allclose(velocity_error(a, a + 3.0), 0, atol=1e-12)


def test_pairs_of_motion_are_drawn_saved_and_exported_as_they_are_measured(tmp_path):
    model = pairs()
    start = [network.get_weights() for network in (model.generator, model.discriminator)]
    motion = batch(8)[0]
    logs = model.train_step(
        {"first": motion, "second": motion[::-1], "label": tf.zeros(6, "int32")}
    )
    assert all(np.isfinite(float(value)) for value in logs.values())
    for network, old in zip((model.generator, model.discriminator), start, strict=True):
        assert any(np.abs(a - b).max() > 0 for a, b in zip(network.get_weights(), old, strict=True))
    codes = tf.random.normal((4, 5)), tf.random.normal((4, 3))
    made = model(codes)
    assert made.shape == (4, 8, FEATURES)
    np.testing.assert_allclose(made, model.generator(list(codes)) * 2.0 + 0.5, atol=1e-5)
    np.testing.assert_allclose(model.deployable()(list(codes)), made, atol=1e-5)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "model.keras")(codes), made)
    other = model((codes[0], tf.random.normal((4, 3))))
    assert np.abs(made - other).max() > 1e-3


def test_order_of_a_pair_of_motions_tells_nothing():
    judge = backbones.motion_pair_discriminator(FEATURES, 4)
    first, second = batch(9)[0], batch(13)[0]
    np.testing.assert_allclose(judge([first, second]), judge([second, first]), atol=1e-5)


def test_classifiers_of_motion_have_no_weight_in_common():
    network = backbones.motion_classifiers(FEATURES, 5, 4, count=3)
    motion = batch(9)[0]
    before = [np.array(answer) for answer in network(motion)]
    assert [answer.shape for answer in before] == [(6, 5)] * 3
    assert min(np.abs(before[0] - other).max() for other in before[1:]) > 1e-3
    first = backbones.motion_classifiers(FEATURES, 5, 4)
    assert network.count_params() == 3 * first.count_params()
    with pytest.raises(ValueError, match="`count` must be 1 or more"):
        backbones.motion_classifiers(FEATURES, 5, 4, count=0)


@pytest.mark.parametrize("frames", [0, 10])
def test_frames_that_cannot_be_generated(frames):
    with pytest.raises(ValueError, match="multiple of 4"):
        backbones.motion_generator(FEATURES, frames)


def test_pairs_need_numbers_for_each_feature():
    with pytest.raises(ValueError, match="one number for each feature"):
        SequenceGMV.from_config({**pairs().get_config(), "mean": [0.0]})
