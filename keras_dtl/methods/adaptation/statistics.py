"""Statistics of batch normalisation, recomputed on the images of another domain."""

import contextlib

import numpy as np

from keras_dtl.methods.batch_norm import calling
from keras_dtl.methods.inputs import check_pixels
from keras_dtl.methods.networks import batch_norm_layers


def adapt_statistics(model, images, batch_size=64):
    """Put the statistics of target images into a model's batch normalisation, in place.

    Every layer then normalises by the mean and variance that its inputs have on these images: the
    mean over batches, in each of which the layers below normalise by the batch itself, as in
    training. No label and no gradient is needed, and no weight changes.

    Reference: Li et al., "Revisiting Batch Normalization For Practical Domain Adaptation", 2016
    (AdaBN).

    Args:
        model: A `DomainAdaptation`, or any Keras model from images.
        images: uint8 array `(examples, height, width, channels)` of the target.
        batch_size: Images that are normalised together; the last batch may hold fewer, and is left
            out where it holds less than half.

    Raises:
        ValueError: When the model has no batch normalisation, one that is folded into the
            convolutions, there are fewer than 2 images, or they were scaled before.
    """
    check_statistics(model)
    if len(images) < 2:
        raise ValueError(f"Statistics need at least 2 images. Received: {len(images)}.")
    network = getattr(model, "encoder", model)
    if np.ndim(images) == 4 and getattr(network, "inputs", None):
        check_pixels(images, network)
    starts = range(0, len(images), batch_size)
    parts = [images[k : k + batch_size] for k in starts]
    parts = [part for part in parts if 2 * len(part) >= batch_size] or [images]
    layers = batch_norm_layers(model)
    sums = [[np.zeros(v.shape) for v in (la.moving_mean, la.moving_variance)] for la in layers]
    with _keeping_last_batch(layers):
        for part in parts:
            model(part, training=False)
            for found, layer in zip(sums, layers, strict=True):
                found[0] += layer.moving_mean.numpy() / len(parts)
                found[1] += layer.moving_variance.numpy() / len(parts)
    for (mean, variance), layer in zip(sums, layers, strict=True):
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)


def check_statistics(*networks, trained=True):
    """Refuse networks whose batch normalisation has no statistics of its own.

    Args:
        *networks: Keras models.
        trained: Whether the statistics must be there already, or will come by training.

    Raises:
        ValueError: When there is no batch normalisation, or it is folded into the convolutions.
    """
    layers = batch_norm_layers(*networks)
    if not layers:
        raise ValueError(
            "There is no batch normalisation whose statistics could be the target's. Leave "
            "--adapt-statistics out, or take a backbone that has it, such as ResNet50."
        )
    if trained and all(not np.any(layer.moving_mean) for layer in layers):
        raise ValueError(
            "The means of batch normalisation are all 0: the weights had it folded into the "
            "convolutions, or were never trained. Statistics of the target would destroy what they "
            "have learnt. Leave --adapt-statistics out, or take weights that are not folded."
        )


@contextlib.contextmanager
def _keeping_last_batch(layers):
    """Let batch normalisation alone learn: it keeps the statistics of the last batch.

    Everything else is as it is deployed: nothing is left out, and no noise added.
    """
    changed = [(layer, name, new) for layer in layers for name, new in _LEARNING.items()]
    before = [(layer, name, getattr(layer, name)) for layer, name, _ in changed]
    try:
        for layer, name, value in changed:
            setattr(layer, name, value)
        with calling(layers, _call_learning):
            yield
    finally:
        for layer, name, value in before:
            setattr(layer, name, value)


_LEARNING = {"momentum": 0.0, "trainable": True}


def _call_learning(layer, inputs, training=None, **kwargs):
    return type(layer).call(layer, inputs, training=True, **kwargs)
