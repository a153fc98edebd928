"""Networks looked into: the layers they hold, how deep they are, and what they take and give."""

import inspect
import logging

import keras
import tensorflow as tf

from keras_dtl.layers.nesting import nested_layers

logger = logging.getLogger("keras_dtl")


def in_float32(values):
    """Return what a network gives in float32, whatever the policy it computes in.

    Args:
        values: Tensor, or a list or dictionary of tensors.
    """
    return tf.nest.map_structure(lambda value: tf.cast(value, "float32"), values)


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


def refuse_added_losses(model):
    """Refuse layers that add a loss as they are called, where a step calls them several times.

    Args:
        model: The method, or one of its networks, after it was called.

    Raises:
        ValueError: When there are such; the message names them.
    """
    adding = [
        layer.name
        for layer in nested_layers(model)
        if not isinstance(layer, keras.Model)
        and len(layer.losses) > sum(v.regularizer is not None for v in layer.trainable_variables)
    ]
    if adding:
        raise ValueError(
            f"{model.name} calls layers several times in a step: what they add to the loss as "
            "they are called (`activity_regularizer`, `add_loss`) cannot count. Received: "
            f"{', '.join(adding)}. Set `activity_regularizer` to None or leave `add_loss` out; "
            "penalties on weights, such as `kernel_regularizer`, do count."
        )


def require_one_way(encoder, classifier):
    """Refuse networks of several inputs or answers, and classifiers of other features.

    Raises:
        ValueError: When a network takes several tensors or gives several, or a dictionary of them,
            or `classifier` takes another shape than `encoder` gives.
    """
    for name, network in (("encoder", encoder), ("classifier", classifier)):
        output = getattr(network, "output", None)  # a Sequential may have none, but `outputs`
        if isinstance(output, dict):
            raise ValueError(
                f"`{name}` must give one tensor. Received: a dictionary of {list(output)}. "
                "Take one of them: keras.Model(network.input, network.output[...])."
            )
        for kind, tensors in (("takes", network.inputs), ("gives", network.outputs)):
            if len(tensors) > 1:
                raise ValueError(
                    f"`{name}` must be a network of one input and one output. Received: one that "
                    f"{kind} {len(tensors)}: {', '.join(str(tensor.shape) for tensor in tensors)}. "
                    "Join them into one tensor, or train a model for each."
                )
    given, taken = (tf.TensorShape(s) for s in (encoder.output_shape, classifier.input_shape))
    if not given.is_compatible_with(taken):
        raise ValueError(
            f"`classifier` must take what `encoder` gives. Received: an encoder to {given}, and a "
            f"classifier of {taken}. encoder.output_shape[1:] is what functions of "
            "keras_dtl.backbones take."
        )


def tell_frozen(method, names):
    """Tell which networks do not learn at all, though the method means them to.

    Args:
        method: The method, about to be compiled.
        names: Of its networks.
    """
    if not method.trainable:
        words = "%s is frozen as a whole (`trainable`): `fit` changes nothing of it."
        logger.warning(words, type(method).__name__)
        return
    for name in names:
        network = getattr(method, name)
        if network is not None and network.weights and not network.trainable_variables:
            logger.warning(
                "%s: nothing of `%s` learns. It is frozen (`trainable`), perhaps by another model "
                "of this network. Set its `trainable` to True before `compile` to let it learn.",
                *(type(method).__name__, name),
            )


NETWORKS = frozenset(
    (
        *("encoder", "classifier", "discriminator", "source_encoder", "view_encoder"),
        *("generator", "generator_a_to_b", "generator_b_to_a", "features", "decoder"),
        *("discriminator_a", "discriminator_b", "critic", "content_encoder", "style_encoder"),
        *("content_classifier", "style_classifier", "latent_classifier"),
    )
)
"""Arguments of methods that are networks."""
_WRAP = (
    "Wrap it: x = keras.Input(shape); network = keras.Model(x, network(x)), the shape without the "
    "batch."
)


def check_networks(method, arguments, keywords):
    """Refuse what cannot be a part of a method, and give parts of one name their own.

    Keras joins no two networks of one name, as `mlp` and `mlp` are: the later part is called as
    its argument is.

    Args:
        method: Class of the method.
        arguments, keywords: Of its constructor.

    Raises:
        ValueError: An argument that should be a network is none, or one without known inputs; or
            Keras is set to images whose channels come first.
    """
    _require_channels_last()
    signature = inspect.signature(method)
    try:
        given = signature.bind_partial(*arguments, **keywords).arguments
    except TypeError:  # the constructor itself says it better
        return
    parts = {}
    for name in (name for name in given if name in NETWORKS):
        network, default = given[name], signature.parameters[name].default
        if network is None and default is None:
            continue
        if _knows_its_inputs(network):
            if parts.setdefault(network.name, network) is not network:
                network.name = name if name not in parts else f"{name}_of_{method.__name__}"
                parts[network.name] = network
            continue
        received, remedy = _mistake(network)
        raise ValueError(
            f"`{name}` of {method.__name__} must be a Keras network with known inputs: a "
            f"functional model, or a Sequential that was built. Received: {received}. {remedy}"
        )


def _require_channels_last():
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "Images are (batch, height, width, channels) here. Received: Keras set to "
            f"{keras.config.image_data_format()!r}, by which networks take the height for the "
            'channels. Call keras.config.set_image_data_format("channels_last") before any is made.'
        )


def _knows_its_inputs(network):
    # A property of Keras that raises AttributeError where nothing is known yet.
    return isinstance(network, keras.Model) and bool(getattr(network, "inputs", None))


def _mistake(network):
    """Return in words what stands in for a network, and how to mend it."""
    name = type(network).__name__
    if isinstance(network, keras.Sequential):
        remedy = "Begin it with keras.Input(shape), or call build((None, *shape)) first."
        return f"the Sequential {network.name!r}, which was not built", remedy
    if isinstance(network, keras.Model):
        return f"the model {network.name!r} of your class {name}", _WRAP
    if isinstance(network, keras.Layer):
        return f"the layer {network.name!r}, a {name}", _WRAP
    if hasattr(network, "shape"):
        name = f"an array of shape {tuple(network.shape)}"
    elif isinstance(network, type):
        name = f"the class {network.__name__}"
    elif network is not None:
        name = f"an instance of {name}"
    else:
        name = "None"
    return name, "keras_dtl.backbones has functions that return networks."
