"""A batch of domain adaptation taken apart, in the order in which the networks see it."""

import logging
from typing import NamedTuple

import keras
import tensorflow as tf

from keras_dtl.methods.given_batches import as_batch

logger = logging.getLogger("keras_dtl")

KEYS = (
    *("source", "target", "target_labelled", "target_weight", "label_weight"),
    *("source_strong", "target_strong"),
)
"""Of a batch of domains."""


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

    @property
    def known(self):
        """How many labels there are, by which logs of batches are weighed."""
        return tf.shape(self.labels)[0]


def check_batch(method, data, needs):
    """Return the batch that data are, or say what is missing in it.

    Args:
        method: Class of the method.
        data: As `as_batch` takes it.
        needs: Keys that must be there.

    Raises:
        ValueError: When a key is missing that the method needs.
    """
    batch = as_batch(data)
    missing = [name for name in needs if not isinstance(batch, dict) or name not in batch]
    if not missing:
        _check_parts(method, batch)
        return batch
    received = (
        f"a dictionary of {sorted(batch)}" if isinstance(batch, dict) else type(batch).__name__
    )
    raise ValueError(
        f"{method.__name__} needs batches with {', '.join(missing)}. Received: {received}. See "
        "keras_dtl.data.domain_batches."
    )


def _check_parts(method, batch):
    """Refuse labels where none are wanted or missing ones, and tell what nobody looks at."""
    for name in ("source", "target_labelled"):
        if name in batch and not isinstance(batch[name], (tuple, list)):
            raise ValueError(
                f"Batches for {method.__name__} need (images, labels) as {name!r}. Received: a "
                f"single {type(batch[name]).__name__}."
            )
    if isinstance(batch.get("target"), (tuple, list, dict)):
        raise ValueError(
            f"Batches for {method.__name__} need images alone as 'target'. Received: a "
            f"{type(batch['target']).__name__} of {len(batch['target'])}. Where labels of the "
            "target may be used, name them 'target_labelled'; else leave them out."
        )
    _check_sizes(method, batch)
    unknown = sorted(set(batch).difference(KEYS))
    if unknown:
        logger.warning(
            "%s looks at %s in a batch, and not at %s.",
            *(method.__name__, ", ".join(KEYS), ", ".join(map(str, unknown))),
        )


def _check_sizes(method, batch):
    """Refuse images, labels and weights that belong together and are not equally many."""
    for name in ("source", "target", "target_labelled"):
        parts = batch.get(name, ())
        parts = list(parts) if isinstance(parts, (tuple, list)) else [parts]
        parts += [batch[key] for key in (f"{name}_strong", f"{name}_weight") if key in batch]
        counts = [tf.TensorShape(part.shape)[0] for part in parts if getattr(part, "shape", None)]
        if len({count for count in counts if count is not None}) > 1:
            raise ValueError(
                f"Batches for {method.__name__} need as many labels and weights as images. "
                f"Received under {name!r}, in the order of images, labels or strongly changed "
                f"images, and weights: {', '.join(map(str, counts))}."
            )


def joined(source, target):
    """Return the images of both domains, which go through the networks in one pass.

    Args:
        source, target: `(batch, ...)`.

    Raises:
        ValueError: When heights, widths, channels or types differ.
    """
    sizes = [tf.TensorShape(images.shape[1:]) for images in (source, target)]
    if not sizes[0][-1:].is_compatible_with(sizes[1][-1:]):
        raise ValueError(
            "Images of source and target must have the same channels. Received: "
            f"{' and '.join(str(size) for size in sizes)}. Bring both to 3: grey ones by "
            "numpy.repeat(images, 3, -1), without alpha by images[..., :3]."
        )
    if not sizes[0].is_compatible_with(sizes[1]):
        raise ValueError(
            "Images of source and target must have one size. Received: "
            f"{' and '.join(str(size) for size in sizes)}. Resize those of one domain, or pass "
            'batch_norm="separate", which takes the domains in two passes.'
        )
    if source.dtype != target.dtype:
        raise ValueError(
            "Images of source and target must be of one type. Received: "
            f"{source.dtype.name} and {target.dtype.name}. Bring both to uint8, 0..255."
        )
    return tf.concat([source, target], 0)


def class_numbers(labels):
    """Return labels as int32 `(batch,)`, or maps of them.

    Args:
        labels: Of any type, also with a number for each class, or a last axis of 1.
    """
    if len(labels.shape) not in (2, 4):
        return tf.cast(labels, "int32")
    return tf.argmax(labels, -1, "int32") if labels.shape[-1] > 1 else class_numbers(labels[..., 0])


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


def labelled(data):
    """Return `(images, labels)`, and a weight of each label where there are any, to be scored.

    Args:
        data: As `unpack_labelled` takes it, or a batch of domains, whose source it is.
    """
    batch = as_batch(data)
    x, y, weight = unpack_labelled(batch["source"] if isinstance(batch, dict) else batch)
    return (x, y) if weight is None else (x, y, of_labels(y, weight))


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
    axes = 3 if len(labels.shape) > 2 else 1
    shape = tf.shape(labels)[:axes]
    if weight is None:
        return tf.ones(shape)
    if len(weight.shape) == axes:
        return weight
    return tf.broadcast_to(tf.reshape(weight, (-1, *[1] * (axes - 1))), shape)


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
