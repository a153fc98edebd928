"""A batch of domain adaptation taken apart, in the order in which the networks see it."""

from typing import NamedTuple

import keras
import tensorflow as tf


class Examples(NamedTuple):
    """A batch in the order of `DomainOutputs`."""

    source_images: tf.Tensor
    target_images: tf.Tensor | None
    labels: tf.Tensor
    """Of the source images, then of the labelled target images."""
    sample_weight: tf.Tensor | None
    """In the label loss, one for each of `labels`."""
    weights: tf.Tensor | None
    """In the adaptation loss, one for each image."""


def unpack(batch):
    """Return the `Examples` of a batch, see `DomainAdaptation`."""
    known = [
        unpack_labelled(batch[name]) for name in ("source", "target_labelled") if name in batch
    ]
    targets = [images for images, *_ in known[1:]]
    targets += [batch["target"]] if "target" in batch else []
    labels = tf.concat([tf.cast(part, known[0][1].dtype) for _, part, _ in known], 0)
    sample_weight = None
    if any(weight is not None for *_, weight in known):
        sample_weight = tf.concat([of_labels(part, weight) for _, part, weight in known], 0)
    if "label_weight" in batch:
        label_weight = batch["label_weight"]
        sample_weight = label_weight if sample_weight is None else sample_weight * label_weight
    target_images = tf.concat(targets, 0) if targets else None
    return Examples(known[0][0], target_images, labels, sample_weight, _weights(batch, known))


def unpack_labelled(data):
    """Return images, labels, and their weights in float32 or None.

    Args:
        data: `(images, labels)` or `(images, labels, sample_weight)`; the weights are of images,
            `(batch,)` or `(batch, 1)`, or of the pixels of maps.
    """
    images, labels, weight = keras.utils.unpack_x_y_sample_weight(data)
    if weight is None:
        return images, labels, None
    weight = tf.cast(weight, "float32")
    of_columns = len(weight.shape) in (2, 4) and weight.shape[-1] == 1
    return images, labels, weight[..., 0] if of_columns else weight


def of_labels(labels, weight):
    """Return a weight for each label: those of images count for all their pixels.

    Args:
        labels: Of images `(batch, ...)`, or maps of them `(batch, height, width, ...)`.
        weight: As `unpack_labelled` returned it; None for 1.
    """
    shape = tf.shape(labels)[: 3 if len(labels.shape) > 2 else 1]
    if weight is None:
        return tf.ones(shape)
    return weight if len(weight.shape) == len(shape) else _spread(weight, shape)


def _spread(weight, shape):
    return tf.broadcast_to(tf.reshape(weight, (-1, *[1] * (len(shape) - 1))), shape)


def _weights(batch, known):
    """Weights of all images, 1 where the batch does not say; None where it says nothing.

    Those of single pixels are none of images.
    """
    given = [None if weight is None or len(weight.shape) > 1 else weight for *_, weight in known]
    target_weight = batch.get("target_weight")
    if target_weight is None and all(weight is None for weight in given):
        return None
    if "target" in batch:
        known = [*known, (batch["target"], None, None)]
        given.append(None if target_weight is None else tf.cast(target_weight, "float32"))
    parts = zip(known, given, strict=True)
    return tf.concat([tf.ones(tf.shape(x)[:1]) if w is None else w for (x, *_), w in parts], 0)
