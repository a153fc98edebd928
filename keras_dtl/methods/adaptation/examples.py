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
    source_images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(batch["source"])
    targets = [batch["target"]] if "target" in batch else []
    if "target_labelled" in batch:
        images, target_labels = batch["target_labelled"][:2]
        targets.insert(0, images)
        labels = tf.concat([labels, tf.cast(target_labels, labels.dtype)], 0)
        if sample_weight is not None:
            shape = tf.concat([tf.shape(target_labels)[:1], tf.shape(sample_weight)[1:]], 0)
            sample_weight = tf.concat([sample_weight, tf.ones(shape, sample_weight.dtype)], 0)
    target_images = tf.concat(targets, 0) if targets else None
    weights = _weights(batch, labels, sample_weight)
    if sample_weight is not None and len(sample_weight.shape) == 1 and len(labels.shape) > 2:
        sample_weight = sample_weight[:, None, None]  # of each image, for all its pixels
    if "label_weight" in batch:
        label_weight = batch["label_weight"]
        sample_weight = label_weight if sample_weight is None else sample_weight * label_weight
    return Examples(source_images, target_images, labels, sample_weight, weights)


def _weights(batch, labels, sample_weight):
    """Weights of all images, 1 where the batch does not say; None where it says nothing."""
    target_weight = batch.get("target_weight")
    if sample_weight is None and target_weight is None:
        return None
    of_labelled = tf.ones(tf.shape(labels)[:1]) if sample_weight is None else sample_weight
    parts = [tf.cast(of_labelled, "float32")]
    if target_weight is not None:
        parts.append(tf.cast(target_weight, "float32"))
    elif "target" in batch:
        parts.append(tf.ones(tf.shape(batch["target"])[:1]))
    return tf.concat(parts, 0)
