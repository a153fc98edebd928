"""The layers below a layer, however nested, and the weights of them all."""

import keras


def nested_layers(network):
    """Yield every layer below a network once, however nested: in models, wrappers, own layers.

    Args:
        network: Keras layer or model, which is not among them.
    """
    seen = {id(network)}
    waiting = [network]
    while waiting:
        for layer in _held_layers(waiting.pop()):
            if id(layer) not in seen:
                seen.add(id(layer))
                waiting.append(layer)
                yield layer


def copy_weights(source, target):
    """Give a network the weights of another one of the same form.

    Layers that are normalised by data they were shown (`Normalization.adapt`) compute with
    constants made of their weights, which `set_weights` leaves as they were.

    Args:
        source: Keras layer or model.
        target: Another one of the same layers, which is changed.
    """
    target.set_weights(source.get_weights())
    for layer in (target, *nested_layers(target)):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _held_layers(layer):
    if isinstance(layer, keras.Model):
        yield from layer.layers
    for value in vars(layer).values():
        held = value.values() if isinstance(value, dict) else value
        for part in held if isinstance(held, (list, tuple, type({}.values()))) else (held,):
            if isinstance(part, keras.layers.Layer):
                yield part
