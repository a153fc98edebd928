"""Networks looked into: the layers they hold, how deep they are, and the pixels they take."""

import keras
import numpy as np
import tensorflow as tf

from keras_dtl.layers.nesting import nested_layers


def to_signed(images):
    """Return uint8 images in 0..255 as float32 in -1..1."""
    return tf.cast(images, "float32") / 127.5 - 1.0


def to_pixels(images):
    """Return float images in 0..255 as a uint8 array, rounded and clipped."""
    return np.clip(np.round(np.asarray(images, "float64")), 0, 255).astype("uint8")


def batch_norm_layers(*networks):
    """Return every batch normalisation layer in networks, however nested."""
    return [
        layer
        for network in networks
        for layer in nested_layers(network)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def has_batch_norm(network):
    return bool(batch_norm_layers(network))


def learnt_layers(network):
    """Return the layers that hold weights, in the order in which they compute, in groups.

    A layer of factors and offsets alone, such as a normalisation, counts with the layer before
    it: together they are one layer, as papers count. Networks inside the network are looked
    into; a layer that is called several times counts once.

    Args:
        network: Functional or Sequential Keras model.

    Returns:
        List of lists of Keras layers.
    """
    groups, seen = [], set()
    for layer in _leaves(network):
        if not layer.weights or id(layer) in seen:
            continue
        seen.add(id(layer))
        if groups and not (_has_kernel(layer) and _has_kernel(*groups[-1])):
            groups[-1].append(layer)  # what precedes the first kernel goes with it too
        else:
            groups.append([layer])
    return groups


def _leaves(network):
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _has_kernel(*layers):
    return any(
        len(weight.shape) > 1
        for layer in layers
        if not isinstance(layer, keras.layers.PReLU)
        for weight in layer.weights
    )


def layers_from(groups, start):
    """Return how many of the last layers begin at `start`.

    Args:
        groups: What `learnt_layers` returned.
        start: `"input"`, for all layers, `"head"`, for none, how many, or the name of a layer or
            the beginning of one, of which the first is taken.

    Raises:
        ValueError: When there are not so many layers, or none of that name.
    """
    if isinstance(start, int) and not isinstance(start, bool):
        if 0 <= start <= len(groups):
            return start
        raise ValueError(
            f"`train_from` lies out of range. Received: the last {start} layers. Expected 0 to "
            f"{len(groups)}: the encoder has so many layers with weights."
        )
    known = {"input": len(groups), "head": 0}
    if start in known:
        return known[start]
    for index, group in enumerate(groups):
        if any(layer.name.startswith(str(start)) for layer in group):
            return len(groups) - index
    names = ", ".join(group[0].name for group in groups)
    raise ValueError(
        f"`train_from` must be input, head, a number of layers, or the name of a layer or its "
        f"beginning. Received: {start!r}. The encoder's layers: {names}."
    )


def require_logits(network, name):
    """Refuse a network that ends in a sigmoid or softmax: every loss here takes logits.

    Args:
        network: Functional or sequential Keras model.
        name: Of the argument, for the message.

    Raises:
        ValueError: When the last layer of `network` squashes its output.
    """
    last = network.layers[-1]
    activation = getattr(last, "activation", None)
    squashing = (keras.activations.sigmoid, keras.activations.softmax)
    if activation in squashing or isinstance(last, keras.layers.Softmax):
        raise ValueError(
            f"`{name}` must return logits, without an activation at its end. Received: a network "
            f"whose last layer {last.name!r} applies {getattr(activation, '__name__', 'softmax')}. "
            "Remove it: the loss applies it, in a form that does not lose precision."
        )
