import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods.fused_adam import fuse_adam

SHAPES = ((3, 4), (5,))


def after_steps(optimizer, steps=4):
    """Return variables and optimizer state after steps of the same gradients."""
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=shape).astype("float32")) for shape in SHAPES]
    optimizer.build(variables)

    @tf.function
    def step(*gradients):
        optimizer.apply(gradients)

    for _ in range(steps):
        step(*[tf.constant(random.normal(size=shape), "float32") for shape in SHAPES])
    return [variable.numpy() for variable in [*variables, *optimizer.variables]]


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
    fuse_adam(fused)
    for ours, theirs in zip(after_steps(fused), after_steps(plain), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_learning_rate_may_change_between_steps():
    results = []
    for fuse in (fuse_adam, lambda optimizer: None):
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
        fuse(optimizer)
        results.append(after_steps(optimizer)[0])
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)


def test_sparse_gradients_take_keras_own_step():
    tables = []
    for fuse in (fuse_adam, lambda optimizer: None):
        table = keras.Variable(np.ones((4, 2), "float32"))
        optimizer = keras.optimizers.Adam(0.1)
        fuse(optimizer)
        optimizer.build([table])
        optimizer.apply([tf.IndexedSlices(tf.ones((1, 2)), tf.constant([2]), (4, 2))])
        tables.append(table.numpy())
    np.testing.assert_allclose(*tables, atol=1e-6)


def test_other_optimizers_stay_as_they_are():
    for optimizer in (keras.optimizers.AdamW(), keras.optimizers.SGD(), None):
        fuse_adam(optimizer)
        assert "update_step" not in vars(optimizer or keras.optimizers.SGD())


def test_two_replicas_take_the_steps_of_one(two_replicas):
    with two_replicas.scope():
        variable = keras.Variable(np.ones((3, 4), "float32"))
        optimizer = keras.optimizers.Adam(0.1)
        fuse_adam(optimizer)
        optimizer.build([variable])
    apply = tf.function(lambda: optimizer.apply([tf.ones((3, 4))]))
    for _ in range(2):
        two_replicas.run(apply)
    np.testing.assert_allclose(variable.numpy(), np.full((3, 4), 0.8), atol=1e-5)
