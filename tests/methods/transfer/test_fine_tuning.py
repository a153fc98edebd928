"""What moves and what does not: bit by bit."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_dtl.callbacks import GradualUnfreezing
from keras_dtl.methods import DANN, FineTuning, SourceOnly
from keras_dtl.methods.networks import learnt_layers
from tests.networks import CLASSES, SHAPE, compiled, dense, encoder

SLOW = pytest.mark.slow


def deep_encoder(dropout=0.0):
    """Return an encoder of three layers, the first two with batch normalisation."""
    image = keras.Input(SHAPE, dtype="uint8", name="image")
    x = layers.Rescaling(1 / 255)(image)
    for index in (1, 2):
        x = layers.Conv2D(4, 3, name=f"conv_{index}")(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.5, name=f"norm_{index}")(x))
    x = layers.Dense(6, "tanh", name="dense")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dropout(dropout)(x) if dropout else x, name="encoder")


def batch(count=8, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    images = rng.integers(0, 80, (count, *SHAPE)) + 60 * labels[:, None, None, None]
    return tf.constant(images, "uint8"), tf.constant(labels, "int32")


def make(optimizer=None, encoder=None, multipliers=None, **arguments):
    model = FineTuning(encoder or deep_encoder(), dense(CLASSES), **arguments)
    rate = optimizer or keras.optimizers.SGD(0.5, momentum=0.9)
    return compiled(model, rate, learning_rate_multipliers=multipliers)


def weights_by_layer(model):
    groups = learnt_layers(model.encoder)
    return [[v.numpy() for layer in group for v in layer.weights] for group in groups]


def moved(model, steps=3):
    """Return for each layer of the encoder whether any of its numbers changed."""
    before, head = weights_by_layer(model), model.classifier.get_weights()
    for seed in range(steps):
        model.train_step(batch(seed=seed))
    assert not np.array_equal(head[0], model.classifier.get_weights()[0])
    after = weights_by_layer(model)
    return [
        any(not np.array_equal(a, b) for a, b in zip(*pair, strict=True))
        for pair in zip(before, after, strict=True)
    ]


@pytest.mark.parametrize(
    ("train_from", "expected", "optimizer"),
    [
        ("input", [True, True, True], None),
        ("conv_2", [False, True, True], keras.optimizers.AdamW),
        (1, [False, False, True], None),
        ("head", [False, False, False], keras.optimizers.AdamW),
        pytest.param("input", [True, True, True], keras.optimizers.AdamW, marks=SLOW),
        pytest.param("conv_2", [False, True, True], None, marks=SLOW),
        pytest.param(1, [False, False, True], keras.optimizers.AdamW, marks=SLOW),
        pytest.param("head", [False, False, False], None, marks=SLOW),
    ],
)
def test_layers_below_stay_bit_for_bit(train_from, expected, optimizer):
    optimizer = optimizer and optimizer(0.01, weight_decay=0.1)
    assert moved(make(optimizer, train_from=train_from, batch_norm="moving")) == expected


def test_frozen_batch_norm_keeps_statistics_factors_and_offsets():
    model = make()
    norms = [model.encoder.get_layer(f"norm_{index}") for index in (1, 2)]
    before = [w for norm in norms for w in norm.get_weights()]
    assert moved(model) == [True, True, True]
    for a, b in zip(before, (w for norm in norms for w in norm.get_weights()), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_encoder_that_comes_frozen_learns_what_it_is_told():
    frozen = deep_encoder()
    frozen.trainable = False
    assert moved(make(encoder=frozen, train_from=2)) == [False, True, True]


def test_rates_fall_by_layer_and_multiply_those_of_parts():
    plain, decayed = make(), make(rate_decay=0.5, multipliers={"encoder": 0.1})
    decayed.set_weights(plain.get_weights())
    steps = []
    for model in (plain, decayed):
        before = weights_by_layer(model)
        model.train_step(batch())
        pairs = zip(weights_by_layer(model), before, strict=True)
        steps.append([after[0] - first[0] for after, first in pairs])
    for distance, ours, theirs in zip((3, 2, 1), *steps, strict=True):
        assert np.abs(ours).max() > 0
        np.testing.assert_allclose(theirs, ours * 0.1 * 0.5**distance, rtol=2e-3, atol=1e-7)


def test_penalty_is_the_formula():
    model = make(anchor_weight=0.3, head_penalty=0.2, train_from="conv_2")
    start = weights_by_layer(model)
    assert float(model.train_step(batch())["penalty"]) > 0  # the head's
    model.encoder.get_layer("dense").kernel.assign_add(np.ones((4, 6)))
    drift = sum(
        ((after - before) ** 2).sum()
        for group, first in zip(weights_by_layer(model)[1:], start[1:], strict=True)
        for after, before in list(zip(group, first, strict=True))[:2]
    )
    head = (model.classifier.get_weights()[0] ** 2).sum()
    expected = 0.3 / 2 * drift + 0.2 / 2 * head
    np.testing.assert_allclose(model.penalty_terms()["penalty"], expected, rtol=1e-5)


def test_a_heavy_anchor_holds_the_encoder():
    distances = []
    for anchor_weight in (0.0, 15.0):
        model = make(optimizer=keras.optimizers.SGD(0.05), anchor_weight=anchor_weight)
        before = weights_by_layer(model)
        for seed in range(8):
            model.train_step(batch(seed=seed))
        pairs = zip(weights_by_layer(model), before, strict=True)
        distances.append(sum(((a[0] - b[0]) ** 2).sum() for a, b in pairs))
    assert distances[1] < 0.5 * distances[0]


@pytest.fixture(scope="module")
def fitted():
    """An encoder thawed in four epochs, and a copy of its weights after each."""
    keras.utils.set_random_seed(0)
    model = make(train_from=2, batch_norm="moving", encoder=deep_encoder())
    after = [weights_by_layer(model)]
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: after.append(weights_by_layer(model))
    )
    data = tf.data.Dataset.from_tensors(batch()).repeat()
    callbacks = [GradualUnfreezing(until=0.5), note]
    history = model.fit(data, epochs=4, steps_per_epoch=2, callbacks=callbacks, verbose=0).history
    return history, after


def test_gradual_unfreezing_thaws_layer_by_layer_in_a_graph(fitted):
    history, after = fitted
    assert history["unfrozen_layers"] == [0, 1, 2, 2]
    for layer, first_epoch in ((0, None), (1, 2), (2, 1)):
        for epoch in range(4):
            same = np.array_equal(after[epoch][layer][0], after[epoch + 1][layer][0])
            assert same == (first_epoch is None or epoch < first_epoch), (layer, epoch)


def test_averages_of_layers_that_are_not_thawed_stay_theirs():
    keras.utils.set_random_seed(0)
    model = FineTuning(deep_encoder(), dense(CLASSES))
    optimizer = keras.optimizers.SGD(0.01, use_ema=True, ema_momentum=0.5)
    compiled(model, optimizer, run_eagerly=True)
    images = np.random.default_rng(0).integers(0, 256, (8, *SHAPE)).astype("uint8")
    model.fit(images, np.arange(8) % CLASSES, epochs=2, verbose=0, callbacks=[GradualUnfreezing(1)])
    averages = model.optimizer._model_variables_moving_average
    for variable, average in zip(model.optimizer._trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(variable, average)


def test_training_resumes_with_optimizer_and_anchors(tmp_path):
    model = make(anchor_weight=0.1, train_from=2, rate_decay=0.5)
    model.train_step(batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for name in ("train_from", "rate_decay", "anchor_weight", "head_penalty", "batch_norm"):
        assert getattr(loaded, name) == getattr(model, name)
    for ours in (model, loaded):
        ours.train_step(batch(seed=1))
    for a, b in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.slow
def test_one_gradient_in_two_replicas(two_replicas):
    alone = make(anchor_weight=0.5)
    with two_replicas.scope():
        shared = make(anchor_weight=0.5)
        shared.set_weights(alone.get_weights())
    images, labels = batch(8)
    alone.fit(images, labels, batch_size=8, shuffle=False, verbose=0)
    shared.fit(images, labels, batch_size=8, shuffle=False, verbose=0)
    for a, b in zip(alone.get_weights(), shared.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_step_in_16_bits_moves_float32_weights(policy):
    keras.config.set_dtype_policy(policy)
    model = make(optimizer=keras.optimizers.SGD(0.05), anchor_weight=0.1)
    assert moved(model) == [True, True, True]
    assert np.isfinite(model.classifier.get_weights()[0]).all()


def test_deployable_gives_probabilities():
    model = make(encoder=encoder())
    images, _ = batch(3)
    np.testing.assert_allclose(
        model.deployable()(images), keras.ops.softmax(model(images)), atol=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train_from": 9}, "0 to 3"),
        ({"train_from": "block"}, "conv_1, conv_2, dense"),
        ({"rate_decay": 0.0}, "rate_decay"),
        ({"anchor_weight": -1.0}, "anchor_weight"),
        ({"head_penalty": -1.0}, "head_penalty"),
        ({"batch_norm": "joint"}, "frozen"),
    ],
)
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_gradual_unfreezing_needs_what_can_be_thawed():
    with pytest.raises(ValueError, match="until"):
        GradualUnfreezing(0.0)
    callback = GradualUnfreezing()
    callback.set_model(dense(1))
    with pytest.raises(ValueError, match="FineTuning"):
        callback.on_train_begin()


def test_what_is_frozen_before_compile_is_thawed_with_a_word_and_after_it_stays(caplog):
    model = FineTuning(encoder(), dense(CLASSES))
    layer = model.encoder.layers[2]
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert "learn again" not in caplog.text
    layer.trainable = False
    before = layer.kernel.numpy()
    model.train_step((np.full((4, *SHAPE), 9, "uint8"), np.arange(4) % CLASSES))
    np.testing.assert_array_equal(layer.kernel, before)
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert f"frozen since it was made: {layer.name}" in caplog.text and layer.trainable


def test_loss_of_an_epoch_weighs_batches_by_their_examples():
    x, y = np.random.default_rng(0).integers(0, 256, (5, *SHAPE)).astype("uint8"), np.arange(5) % 3
    model = FineTuning(encoder(), dense(CLASSES))
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    for part in (slice(0, 4), slice(4, 5)):
        logs = model.train_step((x[part], y[part]))
    assert float(logs["loss"]) == pytest.approx(float(model.compiled_loss(y, model(x))), rel=1e-5)


def test_several_inputs_or_answers_are_refused():
    one, two = keras.Input((6,)), keras.Input((2,))
    several = keras.Model(one, [keras.layers.Dense(n)(one) for n in (3, 2)])
    with pytest.raises(ValueError, match=r"`classifier` .* gives 2: \(None, 3\), \(None, 2\)"):
        FineTuning(encoder(), several)
    joined = keras.Model([one, two], keras.layers.Concatenate()([one, two]))
    with pytest.raises(ValueError, match="`encoder` .* takes 2"):
        SourceOnly(joined, dense(CLASSES, features=8))
    named = keras.Model(one, {"features": keras.layers.Dense(6)(one), "low": one})
    with pytest.raises(ValueError, match=r"`encoder` .* a dictionary of \['features', 'low'\]"):
        SourceOnly(named, dense(CLASSES))
    judge = keras.Model(one, {"logit": keras.layers.Dense(1)(one)})
    with pytest.raises(ValueError, match=r"one logit a decision.*'logit'"):
        DANN(encoder(), dense(CLASSES), judge)
