"""Averages of weights that optimizers keep (`use_ema`), put in their places at the end of `fit`."""

import contextlib

import tensorflow as tf

from keras_dtl.methods.optimizers import stepping


@contextlib.contextmanager
def own_averages(*optimizers):
    """Let optimizers put averages into what they move, and into nothing else.

    At the end of `fit`, before callbacks hear of it, Keras gives one optimizer all weights that
    learn by then, which take the averages in their order: those of another player, or above layers
    that are frozen for now, would get what belongs to others. Averages of the other players would
    never be put anywhere.

    Args:
        *optimizers: Keras optimizers, of which the first is that of `keras.Model.fit`.
    """
    for first in optimizers[:1]:
        first.finalize_variable_values = lambda variables: _put_in_place(optimizers)
    try:
        yield
    finally:
        for first in optimizers[:1]:
            del first.finalize_variable_values


def _put_in_place(optimizers):
    """Do as Keras does, with what each was built for; nothing before a step."""
    for optimizer in (each for given in optimizers for each in stepping(given)):
        if int(tf.convert_to_tensor(optimizer.iterations)):  # which replicas may share
            kind = type(optimizer)
            kind.finalize_variable_values(optimizer, optimizer._trainable_variables)
