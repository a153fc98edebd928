"""How methods step with Keras' optimizers: Adam in one pass, and rates of single variables."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods.optimizers import take_step
from tests.methods.test_base import data, make, values

SHAPES = ((3, 4), (5,))


def by_keras(optimizer, gradients, variables, factors=None):
    optimizer.apply(gradients, variables)


def after_steps(optimizer, act=take_step, factors=(), steps=4, jit_compile=False):
    """Return variables and optimizer state after steps of the same gradients."""
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=shape).astype("float32")) for shape in SHAPES]
    multiples = {id(v): factor for v, factor in zip(variables, factors, strict=False)}
    optimizer.build(variables)

    def step(*gradients):
        act(optimizer, gradients, variables, multiples)

    if act is take_step:  # what it is compared with needs no graph
        step = tf.function(step, jit_compile=jit_compile)
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
    ("kind", "settings"),
    [
        (keras.optimizers.Adam, {"beta_1": 0.5}),
        (keras.optimizers.Adam, {"epsilon": 1e-3, "clipnorm": 0.5}),
        (keras.optimizers.Adam, {"weight_decay": 0.1, "use_ema": True}),
        (keras.optimizers.Adam, {"amsgrad": True}),
        (keras.optimizers.Adam, {"gradient_accumulation_steps": 2, "global_clipnorm": 0.5}),
        (keras.optimizers.AdamW, {"weight_decay": 0.5}),
        (keras.optimizers.Muon, {}),
    ],
)
def test_results_and_state_are_those_of_keras(kind, settings):
    ours, theirs = (after_steps(kind(0.01, **settings), act=act) for act in (take_step, by_keras))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def several(optimizer):
    """Return an optimizer that learns of another one as it is built."""
    return keras.optimizers.MultiOptimizer(lambda variable: optimizer)


@pytest.mark.parametrize("within", [lambda optimizer: optimizer, several])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_fused_step_with_rates_of_its_own_equals_numpy(jit_compile, within):
    optimizer = within(keras.optimizers.Adam(0.01))
    found = after_steps(optimizer, factors=(10.0,), jit_compile=jit_compile)
    for ours, theirs in zip(found[:2], adam_by_hand((0.1, 0.01)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_learning_rate_may_change_between_steps():
    results = []
    for act in (take_step, by_keras):
        schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
        results.append(after_steps(keras.optimizers.Adam(schedule), act=act)[0])
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)


def test_sparse_gradients_take_keras_own_step_at_their_own_rate():
    tables = []
    for rate, factor in ((0.01, 10.0), (0.1, 1.0)):
        table = keras.Variable(np.ones((4, 2), "float32"))
        gradient = tf.IndexedSlices(tf.ones((1, 2)), tf.constant([2]), (4, 2))
        take_step(keras.optimizers.Adam(rate), [gradient], [table], {id(table): factor})
        tables.append(table.numpy())
    np.testing.assert_allclose(*tables, atol=1e-6)
    np.testing.assert_allclose(tables[1][2], 0.9, atol=1e-5)


def test_nothing_is_left_on_an_optimizer():
    ours, theirs = keras.optimizers.Adam(), keras.optimizers.Adam()
    after_steps(ours, factors=(2.0,))
    after_steps(theirs, act=by_keras)
    assert type(ours) is type(theirs) and vars(ours).keys() == vars(theirs).keys()


def test_two_replicas_take_the_steps_of_one(two_replicas):
    with two_replicas.scope():
        variables = [keras.Variable(np.ones((3, 4), "float32")) for _ in range(2)]
        optimizer = keras.optimizers.Adam(0.1, global_clipnorm=1.0)
        optimizer.build(variables)
    factors = {id(variables[1]): 0.5}
    step = tf.function(lambda: take_step(optimizer, [tf.ones((3, 4))] * 2, variables, factors))
    for _ in range(2):
        two_replicas.run(step)
    for variable, expected in zip(variables, (0.8, 0.9), strict=True):
        np.testing.assert_allclose(variable.numpy(), np.full((3, 4), expected), atol=1e-5)


def test_gradients_of_one_weight_do_not_wait_for_those_of_others():
    """TensorFlow relied on that, and then undid it: weights were read after their step."""
    variables = [keras.Variable(np.ones(shape, "float32")) for shape in SHAPES]
    gradients, optimizer = [tf.ones(shape) for shape in SHAPES], keras.optimizers.SGD()
    optimizer.build(variables)
    for act, bound in ((by_keras, True), (take_step, False)):
        step = tf.function(lambda act=act: act(optimizer, gradients, variables))
        operations = step.get_concrete_function().graph.get_operations()
        assert ("IdentityN" in {operation.type for operation in operations}) is bound


# In a method ------------------------------------------------------------------------------


def compile_again(model, optimizer, factors=None):
    model.compile(
        optimizer,
        loss="mse",
        second_optimizer=model.second_optimizer,
        learning_rate_multipliers=factors,
        run_eagerly=True,
    )
    return model


OPTIMIZERS = [lambda: keras.optimizers.SGD(0.01, momentum=0.9), lambda: keras.optimizers.Adam(0.01)]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_multipliers_do_not_outlive_a_compile(kind):
    optimizer = kind()
    model = compile_again(make(), optimizer, {"first": 0.0})
    start = values(model.first.weights)
    model.fit(*data(), verbose=0)
    for a, b in zip(start, values(model.first.weights), strict=True):
        np.testing.assert_array_equal(a, b)
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
        assert set(ours.rate_factors().values()) == {0.5}
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


class OwnRate(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that Keras cannot save, as users write them."""

    def __call__(self, step):
        return 0.02


@pytest.mark.parametrize("rate", [lambda: 0.02, OwnRate()], ids=["function", "schedule"])
def test_rates_that_keras_cannot_save_are_taken(rate):
    steps = []
    for given in (rate, 0.02):
        model = compile_again(make(), keras.optimizers.Adam(given), {"first": 0.5})
        start = values(model.first.weights)
        model.fit(*data(), verbose=0)
        pairs = zip(start, values(model.first.weights), strict=True)
        steps.append(np.concatenate([(b - a).ravel() for a, b in pairs]))
    np.testing.assert_allclose(np.abs(steps), 0.01, rtol=1e-3)


def test_optimizer_of_two_players_that_cannot_be_copied_is_refused():
    given = keras.optimizers.Adam(OwnRate())
    with pytest.raises(ValueError, match="an optimizer for each"):
        make().compile(given, loss="mse", second_optimizer=given)


@pytest.mark.parametrize("factors", [None, {"first": 0.5}])
@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.AdamW])
def test_weights_that_do_not_decay_stay_excluded(kind, factors):
    optimizer = kind(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model = make()
    model.compile(
        optimizer, loss="mse", second_optimizer=optimizer, learning_rate_multipliers=factors
    )
    for network in (model.first, model.second):
        for weight in network.weights:
            weight.assign(np.full(weight.shape, 8.0))
    zero = [tf.zeros(v.shape) for v in model.first.weights]
    model.optimizer.apply(zero, model.first.weights)
    model.second_optimizer.apply(zero, model.second.weights)
    for network in (model.first, model.second):
        kernel, bias = network.get_weights()
        np.testing.assert_allclose(kernel, 4.0)
        np.testing.assert_allclose(bias, 8.0)


def test_optimizer_that_is_handed_over_is_the_one_that_steps():
    optimizer = keras.optimizers.Adam(0.01)
    model = compile_again(make(), optimizer, {"first": 0.5})
    model.fit(*data(), epochs=2, verbose=0)
    assert model.optimizer is optimizer and int(optimizer.iterations) == 2
    optimizer.learning_rate = 0.0
    before = values(model.first.weights)
    model.fit(*data(), verbose=0)
    for a, b in zip(before, values(model.first.weights), strict=True):
        np.testing.assert_array_equal(a, b)
