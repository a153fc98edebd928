"""Networks of images as they are deployed: for images of other sizes than they learnt."""

import math

import keras
from keras import layers

from keras_dtl.layers import InstanceNormalization, ReflectionPadding2D
from keras_dtl.methods.networks import nested_layers

MULTIPLES = [odd * 2**power for odd in (1, 3, 5) for power in range(11)]
"""What sizes may have to be multiples of."""
PRIME = 101
"""Of none of them a factor: a size so many times a multiple is one of no larger multiple."""


def size_multiple(network):
    """Return what heights and widths must be multiples of, so that nothing is cut off or added.

    That is found by the shapes that the network gives; 1 where none of `MULTIPLES` will do.

    Raises:
        ValueError: When the network makes images of one size alone.
    """
    sizes = set()
    for side in (PRIME * multiple for multiple in MULTIPLES):
        made = _side_made(network, side)
        sizes.add(made)
        if made and not (made % side and side % made):  # it may double or halve images, too
            of_double = _side_made(network, 2 * side)
            sizes.add(of_double)
            if of_double == 2 * made:
                return side // PRIME
    if len(sizes) == 1:
        raise ValueError(
            "A network of images is deployed for images of any size. Received: "
            f"{network.name!r}, which makes them of one size alone. Take out what fixes it, such "
            "as Resizing, or Dense behind Flatten."
        )
    return 1


def _side_made(network, side):
    """Return the height that a network gives of images of a side, 0 where maps do not meet."""
    try:
        return copy_for(network, side).outputs[0].shape[1]
    except ValueError:
        return 0


def least_size(network):
    """Return what heights and widths must reach, a multiple of `size_multiple(network)`, or 1.

    Where maps are reflected at their edges, the smallest takes two positions, and the image one
    more than the widest edge.
    """
    edges = [
        max(side for sides in layer.padding for side in sides)
        for layer in nested_layers(network)
        if isinstance(layer, ReflectionPadding2D)
    ]
    if not edges:
        return 1
    multiple = size_multiple(network)
    return math.ceil(max(2 * multiple, 1 + max(edges)) / multiple) * multiple


def trained_size(network):
    """Return the `(height, width)` that a network alone takes, or `None` where it takes any."""
    size = tuple(network.inputs[0].shape[1:3])
    return None if None in size else size


def copy_for(network, side=None, replace=lambda layer: layer):
    """Return a network for images of another size, which shares the weights.

    Args:
        network: Functional or Sequential Keras model, in which further ones may be nested.
        side: Height and width in pixels; any by default.
        replace: Function from a layer to what stands in its place.

    Raises:
        ValueError: When maps of different sizes meet.
    """

    def copy(layer):
        nested = isinstance(layer, keras.Model) and any(map(_is_image, layer.inputs or ()))
        return copy_for(layer, None, replace) if nested else replace(layer)

    def call(layer, *tensors, **keywords):
        if isinstance(layer, layers.Concatenate):
            _require_one_size(tensors[0])  # which Keras takes as it comes
        # Batch normalisation was given a mask, which stands for nothing here.
        return layer(*tensors, **({} if isinstance(layer, InstanceNormalization) else keywords))

    def sized(tensor):
        shape = (side, side, tensor.shape[-1]) if _is_image(tensor) else tensor.shape[1:]
        return keras.Input(shape, name=tensor.name)

    if isinstance(network, keras.Sequential):
        network = keras.Model(network.inputs[0], network.outputs[0], name=network.name)
    inputs = keras.tree.map_structure(sized, network.input)
    return keras.models.clone_model(
        network, input_tensors=inputs, clone_function=copy, call_function=call
    )


def _require_one_size(tensors):
    sizes = {tensor.shape[1:3] for tensor in tensors if _is_image(tensor)}
    if len(sizes) > 1 and not any(None in size for size in sizes):
        raise ValueError(f"Maps of different sizes meet: {sorted(sizes)}")


def _is_image(tensor):
    return len(tensor.shape) == 4


def per_image(layer):
    """Return batch normalisation as one of each image by itself, and other layers as they are.

    It has the weights and the constants of the layer.
    """
    if not isinstance(layer, layers.BatchNormalization):
        return layer
    copy = InstanceNormalization(
        epsilon=layer.epsilon,
        center=layer.center,
        scale=layer.scale,
        name=layer.name,
        dtype=layer.dtype_policy,
    )
    if layer.scale:
        copy.gamma = layer.gamma
    if layer.center:
        copy.beta = layer.beta
    copy.built = True
    return copy
