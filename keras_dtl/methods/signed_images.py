"""Images in -1..1, as networks of images take and give them, and networks that would not."""

import keras
import numpy as np
import tensorflow as tf


def to_signed(images):
    """Return uint8 images in 0..255 as float32 in -1..1."""
    return tf.cast(images, "float32") / 127.5 - 1.0


def to_pixels(images):
    """Return float images in 0..255 as a uint8 array, rounded and clipped."""
    return np.clip(np.round(np.asarray(images, "float64")), 0, 255).astype("uint8")


def from_signed(images):
    """Return images in -1..1 as a uint8 array in 0..255, rounded and clipped."""
    return to_pixels((images + 1) * 127.5)


def require_signed_input(network, name):
    """Refuse a network of images that scales them itself: the methods give it -1..1.

    Args:
        network: Functional or sequential Keras model, of one input or several.
        name: Of the argument, for the message.

    Raises:
        ValueError: When its images are whole numbers, or it begins with a division such as that by
            127.5.
    """
    images = [tensor for tensor in network.inputs if len(tensor.shape) == 4]
    whole = [tensor.dtype for tensor in images if not tensor.dtype.startswith(("float", "bfloat"))]
    divided = [
        layer.name
        for layer in network.layers
        if isinstance(layer, keras.layers.Rescaling) and _divides(layer, images)
    ]
    if whole or divided:
        received = f"an input of {whole[0]}" if whole else f"the layer {divided[0]!r}"
        raise ValueError(
            f"`{name}` is given images in -1..1, which the method makes of 0..255. Received: a "
            f"network with {received}, which scales once more. Begin it with "
            "keras.Input((height, width, channels)) and leave out the scaling."
        )


def _divides(layer, images):
    try:
        given = keras.tree.flatten(layer.input)
    except (AttributeError, ValueError):  # called more than once
        return False
    entries = {id(tensor) for tensor in images}
    return np.max(np.abs(layer.scale)) < 1 / 16 and any(id(tensor) in entries for tensor in given)


def require_signed_output(network, name):
    """Refuse a network of images that cannot make what is darker than the middle.

    Args:
        network: Functional or sequential Keras model.
        name: Of the argument, for the message.

    Raises:
        ValueError: When it ends in a sigmoid, a softmax or a ReLU.
    """
    if len(network.outputs[0].shape) != 4:
        return
    last = _last_layer(network)
    activation = getattr(last, "activation", None)
    positive = [getattr(keras.activations, kind) for kind in ("sigmoid", "softmax", "relu")]
    if activation in positive or isinstance(last, (keras.layers.Softmax, keras.layers.ReLU)):
        raise ValueError(
            f"`{name}` must give images in -1..1. Received: a network whose last layer "
            f"{last.name!r} gives 0 and more. End it in tanh."
        )


_MOVING = (keras.layers.Reshape, keras.layers.Cropping2D, keras.layers.UpSampling2D)


def _last_layer(network):
    """Return the layer that makes the numbers of an output, which others may only move about."""
    last = next(layer for layer in reversed(network.layers) if not isinstance(layer, _MOVING))
    return _last_layer(last) if isinstance(last, keras.Model) else last
