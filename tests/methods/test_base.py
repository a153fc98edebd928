"""The contract of `Method`, on a model with two players."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import Method
from keras_dtl.methods.networks import require_logits
from tests.networks import dense


@keras.saving.register_keras_serializable("tests")
class TwoPlayers(Method):
    """Two networks with a loss and an optimizer each."""

    tracked = ("first_loss", "second_loss")
    player_optimizers = ("second_optimizer",)

    def __init__(self, first, second, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.first = first
        self.second = second
        self.weight = weight

    def call(self, x, training=False):
        return self.first(x, training=training)

    def optimized_variables(self):
        return {
            "optimizer": self.first.trainable_variables,
            "second_optimizer": self.second.trainable_variables,
        }

    def train_step(self, data):
        x, y = data[:2]
        with tf.GradientTape(persistent=True) as tape:
            first = tf.reduce_mean((tf.cast(self.first(x), "float32") - y) ** 2)
            second = tf.reduce_mean((tf.cast(self.second(x), "float32") - 2 * y) ** 2)
        self.minimize(first, tape)
        self.minimize(second, tape, "second_optimizer")
        return self.report(loss=first + second, first_loss=first, second_loss=second)


def make(second_optimizer=None, **kwargs):
    model = TwoPlayers(dense(1, name="first"), dense(1, name="second"), weight=0.25)
    model.compile(
        keras.optimizers.Adam(0.01),
        loss="mse",
        second_optimizer=second_optimizer or keras.optimizers.SGD(0.02, momentum=0.9),
        **{"run_eagerly": True, **kwargs},
    )
    return model


def data(count=8):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, 6)).astype("float32"), np.ones((count, 1), "float32")


def values(variables):
    return [keras.ops.convert_to_numpy(v) for v in variables]


def assert_same_state(first, second):
    pairs = [(first.variables, second.variables)]
    pairs += [
        (getattr(first, name).variables, getattr(second, name).variables)
        for name in first.optimized_variables()
    ]
    for ours, theirs in pairs:
        assert [v.shape for v in ours] == [v.shape for v in theirs]
        for a, b in zip(values(ours), values(theirs), strict=True):
            np.testing.assert_array_equal(a, b)


def test_logs_name_every_term():
    history = make(run_eagerly=False).fit(*data(), epochs=2, verbose=0).history
    assert set(history) == {"loss", "first_loss", "second_loss"}
    total = np.add(history["first_loss"], history["second_loss"])
    np.testing.assert_allclose(history["loss"], total, rtol=1e-5)


def test_evaluation_leaves_out_the_terms_of_training():
    assert set(make().evaluate(*data(), verbose=0, return_dict=True)) == {"loss"}


def test_each_optimizer_moves_its_own_player_only():
    model = make(second_optimizer=keras.optimizers.SGD(0.0))
    first, second = values(model.first.weights), values(model.second.weights)
    model.fit(*data(), verbose=0)
    assert all((a != b).any() for a, b in zip(first, values(model.first.weights), strict=True))
    for a, b in zip(second, values(model.second.weights), strict=True):
        np.testing.assert_array_equal(a, b)


def test_saved_model_keeps_arguments_and_every_optimizer(tmp_path):
    model = make()
    model.fit(*data(), epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.weight, loaded.name) == (0.25, model.name)
    assert isinstance(loaded.second_optimizer, keras.optimizers.SGD)
    assert_same_state(model, loaded)
    model.fit(*data(), epochs=2, verbose=0)
    loaded.fit(*data(), epochs=2, verbose=0)
    assert_same_state(model, loaded)


def test_missing_player_optimizer_is_named():
    model = TwoPlayers(dense(1), dense(1))
    with pytest.raises(ValueError, match="second_optimizer"):
        model.compile("adam", loss="mse")


def test_report_refuses_a_term_without_a_tracker():
    with pytest.raises(ValueError, match="third_loss"):
        make().report(third_loss=1.0)


def test_float16_scales_the_loss_of_both_optimizers():
    keras.config.set_dtype_policy("mixed_float16")
    model = make(second_optimizer=keras.optimizers.SGD(0.02), run_eagerly=False)
    for optimizer in (model.optimizer, model.second_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    before = values(model.second.weights)
    x, y = data()
    # Losses so small that their gradients vanish in float16 unless they are scaled.
    model.second.set_weights([w * 1e-4 for w in before])
    before = values(model.second.weights)
    model.fit(x * 1e-2, y * 1e-6, verbose=0)
    assert any((a != b).any() for a, b in zip(before, values(model.second.weights), strict=True))


def test_scaled_step_equals_the_unscaled_one():
    plain, scaled = (make(run_eagerly=False) for _ in range(2))
    scaled.set_weights(plain.get_weights())
    scaled.second_optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.02, momentum=0.9), initial_scale=1024.0
    )
    scaled.build_optimizers()
    plain.fit(*data(), verbose=0)
    scaled.fit(*data(), verbose=0)
    for a, b in zip(values(plain.second.weights), values(scaled.second.weights), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_network_that_ends_in_a_squashing_activation_is_refused(activation):
    with pytest.raises(ValueError, match="logits"):
        require_logits(dense(2, activation=activation), "discriminator")
    x = keras.Input((3,))
    with pytest.raises(ValueError, match="logits"):
        require_logits(keras.Model(x, keras.layers.Softmax()(x)), "classifier")


@pytest.mark.slow
def test_two_replicas_learn_what_one_does(two_replicas):
    x, y = data(8)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(8).repeat()
    settings = {"second_optimizer": keras.optimizers.SGD(0.02), "run_eagerly": False}
    alone = make(**settings)
    start = alone.get_weights()
    alone.fit(dataset, epochs=1, steps_per_epoch=3, verbose=0)
    with two_replicas.scope():
        settings["second_optimizer"] = keras.optimizers.SGD(0.02)
        mirrored = make(**settings)
        mirrored.set_weights(start)
    mirrored.fit(dataset, epochs=1, steps_per_epoch=3, verbose=0)
    for a, b in zip(alone.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_parts_learn_at_a_multiple_of_the_rate(optimizer):
    """As an optimizer of ten times the rate would: also Adam, which undoes scaled gradients."""
    rates = {"sgd": 0.01, "adam": 0.001}
    kinds = {"sgd": lambda r: keras.optimizers.SGD(r, momentum=0.9), "adam": keras.optimizers.Adam}
    models = []
    for rate, factors in ((rates[optimizer], {"first": 10.0}), (10 * rates[optimizer], None)):
        model = make()
        model.compile(
            kinds[optimizer](rate),
            loss="mse",
            second_optimizer=keras.optimizers.SGD(0.02),
            learning_rate_multipliers=factors,
            run_eagerly=True,
        )
        models.append(model)
    models[1].set_weights(models[0].get_weights())
    for model in models:
        model.fit(*data(), epochs=2, verbose=0)
    for a, b in zip(*(values(model.weights) for model in models), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("optimizer", [keras.optimizers.SGD, keras.optimizers.Adam])
def test_layers_that_networks_share_take_one_step(optimizer):
    shared, x = keras.layers.Dense(1), keras.Input((6,))
    first, second = (keras.Model(x, shared(x), name=name) for name in ("one", "two"))
    model = TwoPlayers(first, second)
    model.optimized_variables = lambda: {
        "optimizer": first.trainable_variables + second.trainable_variables,
        "second_optimizer": [],
    }
    model.compile(optimizer(0.1), second_optimizer="sgd")
    start, expected = shared.get_weights(), [keras.Variable(w) for w in shared.get_weights()]
    x, y = data()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((shared(x) - y) ** 2)
    gradients = tape.gradient(loss, shared.trainable_variables)
    optimizer(0.1).apply(gradients, expected)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((first(x) - y) ** 2)
    model.minimize(loss, tape)
    for moved, wanted, before in zip(shared.get_weights(), expected, start, strict=True):
        np.testing.assert_allclose(moved, wanted, rtol=1e-5, atol=1e-7)
        assert (moved != before).all()


@keras.saving.register_keras_serializable("tests")
class SecondFirst(TwoPlayers):
    """Keras finds the second player's network first."""

    def __init__(self, first, second, **kwargs):
        Method.__init__(self, **kwargs)
        self.second = second
        self.first = first
        self.weight = 1.0


WITHIN = {
    "plain": lambda optimizer: optimizer,
    "scaled": lambda optimizer: keras.optimizers.LossScaleOptimizer(optimizer, 2.0),
    "several": lambda optimizer: keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(optimizer)
    ),
}


@pytest.mark.parametrize("within", WITHIN)
def test_averages_are_put_into_what_each_optimizer_moves(within):
    def player(rate):
        return WITHIN[within](keras.optimizers.SGD(rate, use_ema=True, ema_momentum=0.5))

    model = SecondFirst(dense(1, name="first"), dense(1, name="second"))
    model.compile(player(0.1), second_optimizer=player(0.2), run_eagerly=within == "plain")
    seen, at_end = {"first": [], "second": []}, []

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            for name, weights in seen.items():
                weights.append(values(getattr(model, name).weights))

        def on_train_end(self, logs=None):
            at_end.extend(model.get_weights())

    model.fit(*data(), batch_size=4, epochs=2, verbose=0, callbacks=[Note()])
    for name, steps in seen.items():
        expected = steps[0]
        for step in steps[1:]:
            expected = [0.5 * a + 0.5 * b for a, b in zip(expected, step, strict=True)]
        for ours, wanted in zip(values(getattr(model, name).weights), expected, strict=True):
            np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-6)
    for ours, told in zip(model.get_weights(), at_end, strict=True):
        np.testing.assert_array_equal(ours, told)
    assert "finalize_variable_values" not in vars(model.optimizer)


def test_optimizers_that_start_from_the_weights_are_built_before_the_first_batch():
    """Those that are built within a graph take them for 0."""
    model = make(keras.optimizers.ScheduleFreeAdamW(1e-3), run_eagerly=False)
    before = values(model.second.weights)
    model.train_on_batch(*data())
    for ours, start in zip(values(model.second.weights), before, strict=True):
        np.testing.assert_allclose(ours, start, atol=2e-3)


def test_players_that_never_stepped_keep_their_weights():
    model = make(second_optimizer=keras.optimizers.SGD(0.02, use_ema=True))
    before = values(model.second.weights)
    model.train_step = lambda data: {"loss": tf.zeros(())}
    model.build_optimizers()
    model.fit(*data(), verbose=0)
    for a, b in zip(before, values(model.second.weights), strict=True):
        np.testing.assert_array_equal(a, b)


def test_multipliers_are_saved_and_unknown_parts_refused(tmp_path):
    model = make(learning_rate_multipliers={"first": 0.0})
    model.fit(*data(), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    before = values(loaded.first.weights)
    loaded.fit(*data(), verbose=0)
    for a, b in zip(before, values(loaded.first.weights), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="third"):
        make(learning_rate_multipliers={"third": 2.0})


@keras.saving.register_keras_serializable("tests")
class Variant(TwoPlayers):
    """A user's own, whose base takes what it does not name."""

    def __init__(self, first, second, extra=1, **kwargs):
        super().__init__(first, second, **kwargs)
        self.extra = extra


def test_arguments_that_a_subclass_passes_on_are_saved():
    kept = {"dtype": "mixed_bfloat16", "trainable": False}
    model = Variant(dense(1), dense(1), extra=2, weight=0.5, **kept)
    for _ in range(2):
        model = Variant.from_config(model.get_config())
        assert (model.extra, model.weight) == (2, 0.5)
        assert (model.dtype_policy.name, model.trainable) == ("mixed_bfloat16", False)
