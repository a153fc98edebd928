"""Lower layers taken from a network that learnt another task (Yosinski et al. 2014)."""

from keras_dtl.layers.nesting import copy_weights
from keras_dtl.methods.networks import learnt_layers
from keras_dtl.methods.transfer.fine_tuning import FineTuning


def copy_layers(source, target, count):
    """Copy the weights of the lowest `count` layers of one network to another.

    Args:
        source, target: Networks of one architecture.
        count: How many of their `learnt_layers`, moving statistics too.

    Raises:
        ValueError: When there are not so many layers, or they differ in shape.
    """
    pairs = list(zip(learnt_layers(source), learnt_layers(target), strict=True))
    check_count(count, len(pairs))
    for ours, theirs in pairs[:count]:
        for layer, copy in zip(ours, theirs, strict=True):
            copy_weights(layer, copy)


def layer_transfer(encoder, classifier, source=None, count=0, tuned=True):
    """Return the model of one cell of the study, new above the layer `count`.

    With a source: AnB or BnB, and with `tuned` AnB+ or BnB+. Without: random lower layers,
    frozen, or with `tuned` the base network.

    Reference: Yosinski, Clune, Bengio & Lipson, "How transferable are features in deep neural
    networks?", NIPS 2014.

    Args:
        encoder, classifier: New networks, see `FineTuning`.
        source: Encoder of the same architecture that has learnt a task, or None.
        count: How many of the lowest layers are copied, and frozen unless `tuned`.
        tuned: Whether these layers learn the new task too.

    Returns:
        A `FineTuning` model, not yet compiled.
    """
    depth = len(learnt_layers(encoder))
    check_count(count, depth)
    if source is not None:
        copy_layers(source, encoder, count)
    start = "input" if tuned else depth - count
    return FineTuning(encoder, classifier, train_from=start, batch_norm="moving")


def check_count(count, depth):
    """Refuse a layer that the network does not have.

    Raises:
        ValueError: When `count` is not in 0..depth.
    """
    if not 0 <= count <= depth:
        raise ValueError(
            f"The encoder has {depth} layers with weights; the lowest {count} cannot be "
            f"transferred. Expected 0 to {depth}."
        )
