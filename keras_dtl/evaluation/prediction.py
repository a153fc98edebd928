"""What a network makes of more examples than fit into one batch."""

from collections.abc import Callable
from functools import partial

import keras
import numpy as np

BATCH = 256


def predict(network: Callable, inputs, batch_size: int = BATCH):
    """Return a network's outputs for many examples, as arrays.

    Unlike `keras.Model.predict` it traces nothing, and takes any function of a batch.

    Args:
        network: Keras layer or model, which is called with `training=False`, or a function, which
            is called with the batch alone.
        inputs: Array `(examples, ...)`, or a list or tuple of such arrays of one length, which
            the network is given in the same form.
        batch_size: Examples in a batch.

    Returns:
        Arrays in the structure of the network's output.
    """
    if isinstance(network, keras.Layer):
        network = partial(network, training=False)
    parts = inputs if isinstance(inputs, (list, tuple)) else (inputs,)
    outputs = []
    for start in range(0, len(parts[0]), batch_size):
        batch = [part[start : start + batch_size] for part in parts]
        outputs.append(network(type(inputs)(batch) if parts is inputs else batch[0]))
    return keras.tree.map_structure(_joined_arrays, *outputs)


def _joined_arrays(*pieces):
    return np.concatenate([np.asarray(piece) for piece in pieces])
