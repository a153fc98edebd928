"""What lets a step repeat; `tests/recipes/test_step_repeats.py` repeats one of every method."""

import pytest
import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.eager import backprop

from keras_dtl.cli.repeatable import gradients_in_order


@pytest.fixture
def sums():
    """What gradients are summed by, before and after; other tests may have changed it."""
    before = backprop._default_vspace
    pywrap_tfe.TFE_Py_RegisterVSpace(before)
    yield
    pywrap_tfe.TFE_Py_RegisterVSpace(before)


def operations():
    """Return the kinds of operations in the gradient of what is used four times."""

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.sin(x) + tf.cos(x) + tf.exp(x) * tf.tanh(x)
        return tape.gradient(y, x)

    graph = gradient.get_concrete_function(tf.TensorSpec([3])).graph
    return [operation.type for operation in graph.get_operations()]


def test_gradients_are_added_one_after_the_other(sums):
    """AddN begins with whichever of its inputs nobody else holds at that moment."""
    assert "AddN" in operations()
    gradients_in_order()
    found = operations()
    assert "AddN" not in found and found.count("AddV2") >= 3


def test_rows_of_a_table_are_summed_as_before(sums):
    table = tf.Variable(tf.ones((4, 2)))
    gradients_in_order()
    with tf.GradientTape() as tape:
        looked = [tf.gather(table, [row, 1]) for row in (0, 1, 2)]
        loss = tf.add_n([tf.reduce_sum(rows) for rows in looked])
    found = tf.convert_to_tensor(tape.gradient(loss, table))
    assert found.numpy()[:, 0].tolist() == [1, 4, 1, 0]
