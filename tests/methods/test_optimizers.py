"""The optimizers of methods: Adam in one pass, and rates of single variables."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods.optimizers import FusedAdam, method_optimizer, serialize_optimizer
from tests.methods.test_base import data, make, values

SHAPES = ((3, 4), (5,))


def after_steps(optimizer, steps=4, jit_compile=False):
    """Return variables and optimizer state after steps of the same gradients."""
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=shape).astype("float32")) for shape in SHAPES]
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def step(*gradients):
        optimizer.apply(gradients)

    for _ in range(steps):
        step(*[tf.constant(random.normal(size=shape), "float32") for shape in SHAPES])
    return [variable.numpy() for variable in [*variables, *optimizer.variables]]


def adam_by_hand(rates, steps=4):
    """Return the variables of `after_steps` under the formula of Kingma & Ba, in NumPy."""
    random = np.random.default_rng(0)
    variables = [random.normal(size=shape) for shape in SHAPES]
    first, second = ([np.zeros(shape) for shape in SHAPES] for _ in range(2))
    for step in range(1, steps + 1):
        for i, shape in enumerate(SHAPES):
            gradient = random.normal(size=shape)
            first[i] = 0.9 * first[i] + 0.1 * gradient
            second[i] = 0.999 * second[i] + 0.001 * gradient**2
            scale = np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            variables[i] -= rates[i] * scale * first[i] / (np.sqrt(second[i]) + 1e-7)
    return variables


@pytest.mark.parametrize(
    "settings",
    [
        {"beta_1": 0.5},
        {"epsilon": 1e-3, "clipnorm": 0.5},
        {"weight_decay": 0.1, "use_ema": True},
        {"amsgrad": True},
    ],
)
def test_results_and_state_are_those_of_keras(settings):
    plain, fused = (keras.optimizers.Adam(0.01, **settings) for _ in range(2))
    for ours, theirs in zip(after_steps(method_optimizer(fused)), after_steps(plain), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_fused_step_with_rates_of_its_own_equals_numpy(jit_compile):
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=shape).astype("float32")) for shape in SHAPES]
    optimizer = method_optimizer(keras.optimizers.Adam(0.01), {id(variables[0]): 10.0})
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def step(*gradients):
        optimizer.apply(gradients)

    for _ in range(4):
        step(*[tf.constant(random.normal(size=shape), "float32") for shape in SHAPES])
    for ours, theirs in zip(variables, adam_by_hand((0.1, 0.01)), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-4, atol=1e-6)


def test_learning_rate_may_change_between_steps():
    results = []
    for prepare in (method_optimizer, lambda optimizer: optimizer):
        schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
        results.append(after_steps(prepare(keras.optimizers.Adam(schedule)))[0])
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)


def test_sparse_gradients_take_keras_own_step_at_their_own_rate():
    tables = []
    for rate, factor in ((0.01, 10.0), (0.1, None)):
        table = keras.Variable(np.ones((4, 2), "float32"))
        optimizer = method_optimizer(keras.optimizers.Adam(rate), factor and {id(table): factor})
        optimizer.build([table])
        optimizer.apply([tf.IndexedSlices(tf.ones((1, 2)), tf.constant([2]), (4, 2))])
        tables.append(table.numpy())
    np.testing.assert_allclose(*tables, atol=1e-6)
    np.testing.assert_allclose(tables[1][2], 0.9, atol=1e-5)


def test_what_needs_nothing_is_taken_as_it_is():
    for optimizer in (keras.optimizers.AdamW(), keras.optimizers.SGD(), FusedAdam()):
        assert method_optimizer(optimizer) is optimizer


def test_fused_adam_comes_back_from_its_config():
    config = keras.optimizers.serialize(FusedAdam(0.25, beta_1=0.5))
    loaded = keras.optimizers.deserialize(config)
    assert type(loaded) is FusedAdam and loaded.beta_1 == 0.5


@pytest.mark.parametrize("factors", [None, {0: 2.0}])
def test_config_names_the_optimizer_of_keras(factors):
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.25), initial_scale=8.0)
    config = serialize_optimizer(method_optimizer(scaled, factors))
    loaded = keras.optimizers.deserialize(config)
    assert type(loaded.inner_optimizer) is keras.optimizers.Adam
    assert float(loaded.learning_rate) == 0.25 and loaded.initial_scale == 8.0


def test_two_replicas_take_the_steps_of_one(two_replicas):
    with two_replicas.scope():
        variables = [keras.Variable(np.ones((3, 4), "float32")) for _ in range(2)]
        optimizer = method_optimizer(keras.optimizers.Adam(0.1), {id(variables[1]): 0.5})
        optimizer.build(variables)
    apply = tf.function(lambda: optimizer.apply([tf.ones((3, 4))] * 2))
    for _ in range(2):
        two_replicas.run(apply)
    for variable, expected in zip(variables, (0.8, 0.9), strict=True):
        np.testing.assert_allclose(variable.numpy(), np.full((3, 4), expected), atol=1e-5)


# In a method ------------------------------------------------------------------------------


def compile_again(model, optimizer, factors=None):
    model.compile(
        optimizer,
        loss="mse",
        second_optimizer=model.second_optimizer,
        learning_rate_multipliers=factors,
    )
    return model


OPTIMIZERS = [lambda: keras.optimizers.SGD(0.01, momentum=0.9), lambda: keras.optimizers.Adam(0.01)]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_multipliers_do_not_outlive_a_compile(kind):
    optimizer, untouched = kind(), kind()
    model = compile_again(make(), optimizer, {"first": 0.0})
    start = values(model.first.weights)
    model.fit(*data(), verbose=0)
    for a, b in zip(start, values(model.first.weights), strict=True):
        np.testing.assert_array_equal(a, b)
    assert type(optimizer) is type(untouched) and vars(optimizer).keys() == vars(untouched).keys()
    compile_again(model, optimizer).fit(*data(), verbose=0)
    assert all((a != b).any() for a, b in zip(start, values(model.first.weights), strict=True))


@pytest.mark.parametrize(
    "kind", [OPTIMIZERS[0], pytest.param(OPTIMIZERS[1], marks=pytest.mark.slow)]
)
def test_state_goes_on_where_the_stepping_optimizer_is_compiled_again(kind):
    once, twice = compile_again(make(), kind()), compile_again(make(), kind())
    twice.set_weights(once.get_weights())
    for model in (once, twice):
        model.fit(*data(), epochs=3, verbose=0)
    compile_again(twice, twice.optimizer, {"first": 1.0})
    assert int(twice.optimizer.iterations) == 3
    for model in (once, twice):
        model.fit(*data(), epochs=2, verbose=0)
    for a, b in zip(values(once.first.weights), values(twice.first.weights), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "policy", ["mixed_float16", pytest.param("float32", marks=pytest.mark.slow)]
)
def test_saved_model_takes_the_next_step_of_the_unsaved(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    model = compile_again(make(), keras.optimizers.Adam(0.01), {"first": 0.5})
    model.fit(*data(), epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for ours in (model, loaded):
        ours.fit(*data(), verbose=0)
        stepping = getattr(ours.optimizer, "inner_optimizer", ours.optimizer)
        assert isinstance(stepping, FusedAdam) and stepping.rate_factors == (0.5, 0.5)
    pairs = [(model.weights, loaded.weights)]
    pairs += [
        (getattr(model, name).variables, getattr(loaded, name).variables)
        for name in model.optimized_variables()
    ]
    for ours, theirs in pairs:
        for a, b in zip(values(ours), values(theirs), strict=True):
            np.testing.assert_array_equal(a, b)


def test_two_optimizers_of_one_kind_stay_two(tmp_path):
    model = make(keras.optimizers.Adam(0.02), learning_rate_multipliers={"first": 0.5})
    model.fit(*data(), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer is not loaded.second_optimizer
    assert float(loaded.second_optimizer.learning_rate) == pytest.approx(0.02)
    loaded.fit(*data(), verbose=0)
