"""Random streams of layers, such as those of dropout, which every replica must have for itself."""

import functools

import keras
import tensorflow as tf

from keras_dtl.layers.nesting import nested_layers

_STRIDE = 2**24  # draws, that a layer makes before its stream is that of the next replica


def separate_streams(model):
    """Let the layers of a model draw other random numbers in each replica.

    Keras gives all replicas one stream: dropout would hide the same units of the first example
    of each. The first replica keeps the stream that it would have alone.

    Args:
        model: Keras model, whose own generators stay as they are.
    """
    for layer in nested_layers(model):
        for value in vars(layer).values():
            if isinstance(value, keras.random.SeedGenerator):
                value.next = functools.partial(_next, value)


def _next(generator, ordered=True):
    seed = type(generator).next(generator, ordered)
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return seed
    offset = tf.stack([0, replica.replica_id_in_sync_group * _STRIDE])
    return seed + tf.cast(offset, seed.dtype)
