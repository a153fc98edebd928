"""What `compile` and `fit` are given, looked at before it trains silently wrong."""

import logging

import keras
import numpy as np
import tensorflow as tf

from keras_dtl.layers import answer_of
from keras_dtl.methods.given_data import refuse_scaled_twice
from keras_dtl.methods.given_labels import ONE_HOT

logger = logging.getLogger("keras_dtl")

CROSSENTROPIES = {
    "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
    "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
    "categorical_focal_crossentropy": keras.losses.CategoricalFocalCrossentropy,
    "binary_crossentropy": keras.losses.BinaryCrossentropy,
    "binary_focal_crossentropy": keras.losses.BinaryFocalCrossentropy,
}
ACCURACIES = ("accuracy", "acc", "binary_accuracy")
FROM_LOGITS = (
    "The classifier gives logits, the loss %s expects probabilities: it is taken as one of logits. "
    "Pass keras.losses.%s(from_logits=True) to say so."
)


def logits_loss(loss):
    """Return a cross-entropy of logits for one of probabilities, and say so; any other as it is.

    Args:
        loss: What `compile` was given: a name, a function or a Keras loss, also as the only one of
            a list or dictionary.
    """
    if isinstance(loss, (list, tuple, dict)) and len(loss) == 1:
        [loss] = loss.values() if isinstance(loss, dict) else loss
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", None)
    if isinstance(name, str) and snake_name(name) in CROSSENTROPIES:
        kind, config = CROSSENTROPIES[snake_name(name)], {}
    elif type(loss) in CROSSENTROPIES.values() and not loss.get_config()["from_logits"]:
        kind, config = type(loss), loss.get_config()
    else:
        return loss
    logger.warning(FROM_LOGITS, name or type(loss).__name__, kind.__name__)
    return kind(**{**config, "from_logits": True})


def snake_name(name):
    """Return the name that Keras has for a loss or an accuracy, of its class or short, too."""
    names = {kind.__name__: key for key, kind in CROSSENTROPIES.items()}
    short = dict.fromkeys(("bce", "BCE"), "binary_crossentropy")  # as Keras knows it, too
    return {**names, **short, "BinaryAccuracy": "binary_accuracy"}.get(name, name)


def answer_kind(output_shape, loss):
    """Return the `postprocessing` of a classifier's answer, or None where the loss does not tell.

    Args:
        output_shape: Of the classifier.
        loss: As `logits_loss` returned it.
    """
    try:
        return answer_of(output_shape, loss).postprocessing
    except ValueError:
        return None


def require_classes(method, output_shape, loss) -> None:
    """Refuse a head whose numbers are no logits of one class of several.

    Args:
        method: Class of the method, whose adaptation reads a softmax of them.
        output_shape: Of the classifier.
        loss: What was compiled, or None.

    Raises:
        ValueError: For one number, several labels of which each may hold, and plain numbers. A
            loss of the user's own, which does not tell, passes.
    """
    if output_shape[-1] > 1 and answer_kind(output_shape, loss) in (None, "softmax"):
        return
    raise ValueError(
        f"{method.__name__} reads the answers as one of several classes. Received: a head of "
        f"{output_shape[-1]} and the loss {getattr(loss, 'name', loss)}. Give yes and no a head of "
        "2 and SparseCategoricalCrossentropy(from_logits=True); for several labels or numbers take "
        "a method that aligns features, such as DANN, DAN or DeepCORAL."
    )


def check_all_pixels(x, y=None) -> None:
    """Refuse images in 0..1 or -1..1 among what `fit` is given, where the method scales them.

    Args:
        x, y: As `fit` received them: a `tf.data.Dataset`, or arrays. What has not four axes is no
            batch of images.

    Raises:
        ValueError: As `check_pixels`.
    """
    given = (x, y) if first_batch(x) is None else first_batch(x)
    for part in tf.nest.flatten(given):
        if len(getattr(part, "shape", ())) == 4:
            check_pixels(part)


_MORE_BITS = 512
"""From here on no image is of 8 bits, even if it was resized with overshoot."""


def check_pixels(images, network=None) -> None:
    """Refuse images in 0..1, -1..1 or of 16 bits where 0..255 are scaled by themselves.

    Args:
        images: Tensor or array `(batch, height, width, channels)`.
        network: What they go into as they are; one that takes uint8 holds its own scaling. None
            where the method scales.

    Raises:
        ValueError: When its images can only have been scaled before, or have more than 8 bits.
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    refuse_scaled_twice(images, dtype, network)
    scales = network is None or network.inputs[0].dtype == "uint8"
    if dtype in ("uint8", "bool") or not scales:
        return
    values = np.asarray(images, "float32")
    if not np.isfinite(values).all():
        raise ValueError(
            "Images are expected in 0..255, as uint8. Received: "
            f"{dtype} with {np.count_nonzero(~np.isfinite(values))} numbers that are not finite. "
            "Leave these images out, or mend them with numpy.nan_to_num."
        )
    low, high = float(values.min()), float(values.max())
    if high >= _MORE_BITS:
        raise ValueError(
            f"Images are expected in 0..255, as uint8. Received: {dtype} in {low:.5g}..{high:.5g}, "
            "which would be white to the model. Bring 16 bits to 8: images // 257."
        )
    if low >= 0 and (high > 1 or not dtype.startswith(("float", "bfloat"))):
        return
    raise ValueError(
        f"Images are expected in 0..255, as uint8: they are scaled in the model. Received: "
        f"{dtype} in {low:.3g}..{high:.3g}, which would be black to it. Leave out the division "
        "by 255 or 127.5."
    )


def check_asked(x, network=None) -> None:
    """Refuse scaled images among the first that are asked about, see `check_pixels`.

    Args:
        x: What `evaluate` or `predict` is given.
        network: What they go into, or None where the method scales all that it is given.

    Raises:
        ValueError: As `check_pixels`; images that are all black pass.
    """
    batch = first_batch(x)
    batch = x if batch is None else batch
    if isinstance(batch, dict):
        batch = batch.get("source", batch.get("target"))
    given = batch if isinstance(batch, (tuple, list)) else [batch]
    for images in given if network is None else given[:1]:
        if len(getattr(images, "shape", ())) == 4 and hasattr(images, "dtype"):
            some = images[:ASKED]
            if np.any(some):
                check_pixels(some, network)


ASKED = 64
"""Images that are looked at before all are answered."""


def require_domains(model, x, y=None) -> None:
    """Refuse data that are no batches of domains, and name the batch that is wanted.

    Args:
        model: The method, for its name and what its batches need.
        x, y: As `fit` received them.

    Raises:
        ValueError: For arrays, labels apart, or a data set of tuples.
    """
    divided = tf.distribute.DistributedDataset  # among replicas, see `share_batches`
    spec = x.element_spec if isinstance(x, (tf.data.Dataset, divided)) else x
    if y is None and isinstance(spec, dict) and "source" in spec:
        _require_equally_many(spec)
        return
    kinds = tf.data.Dataset, keras.utils.PyDataset
    known = isinstance(x, kinds) or hasattr(x, "__next__") or callable(x)
    if y is None and known and not isinstance(spec, (tuple, dict, tf.TensorSpec)):
        return  # a generator, whose batches `train_step` checks
    needs = "".join(f', "{name}": ...' for name in model.needs)
    received = "x and y" if y is not None else type(spec).__name__
    if isinstance(x, tf.data.Dataset):
        received = f"a data set of {type(spec).__name__}"
    raise ValueError(
        f"{type(model).__name__}.fit() takes batches of domains, dictionaries of the form "
        f'{{"source": (images, labels){needs}}}. Received: {received}. '
        "keras_dtl.domain_batches(source, target, 64) makes them; a model of one labelled data "
        "set is keras_dtl.FineTuning, which takes fit(x, y)."
    )


def _require_equally_many(batch):
    counts = {len(part) for part in tf.nest.flatten(batch) if isinstance(part, np.ndarray)}
    if len(counts) > 1:
        raise ValueError(
            "A dictionary of arrays is cut into batches, of which each part has equally many. "
            f"Received: arrays of {' and '.join(map(str, sorted(counts)))} examples. "
            "keras_dtl.domain_batches(source, target, 64) repeats the shorter domain."
        )


def first_batch(data):
    """Return the first batch of what `fit` is given, where it can be had and may be wrong.

    That of a `tf.data.Dataset` may be where a tensor of it is floating, or where images, of four
    axes, are of other whole numbers than uint8.

    Args:
        data: A `tf.data.Dataset`, a `keras.utils.PyDataset`, or a dictionary of arrays.
    """
    if isinstance(data, dict):
        return data
    if isinstance(data, keras.utils.PyDataset):
        batch = data[0]
        return batch[0] if isinstance(batch, tuple) and len(batch) == 1 else batch
    if not isinstance(data, tf.data.Dataset):
        return None
    specs = [spec for spec in tf.nest.flatten(data.element_spec) if hasattr(spec, "dtype")]
    images = [spec for spec in specs if spec.shape.rank == 4 and spec.dtype != tf.uint8]
    if not images and not any(spec.dtype.is_floating for spec in specs):
        return None
    return next(iter(data))


def with_label_weights(data, class_weight: dict, loss=None):
    """Return domain batches that weigh each label in the label loss.

    Args:
        data: `tf.data.Dataset` of dictionaries, see `DomainAdaptation`.
        class_weight: `{class index: weight of 0 or more}`; others weigh 1.
        loss: What was compiled: those of `ONE_HOT` take labels with a number for each class.

    Raises:
        ValueError: When data are no `tf.data.Dataset`, or classes are not given by their index.
    """
    if not isinstance(data, tf.data.Dataset):
        raise ValueError(
            "`class_weight` takes a tf.data.Dataset of batches, before `share_batches`. Received: "
            f"{type(data).__name__}. Put weights of examples into the batches instead: "
            '{"source": (images, labels, sample_weight), ...}.'
        )
    are_indices = all(isinstance(key, (int, np.integer)) and key >= 0 for key in class_weight)
    if not are_indices or not all(0 <= weight < np.inf for weight in class_weight.values()):
        raise ValueError(
            "`class_weight` maps the index of a class, 0 or more, to its weight, a finite number "
            f"of 0 or more. Received: {class_weight}."
        )
    one_hot = isinstance(loss, ONE_HOT)
    size = max(class_weight, default=-1) + 2
    table = [float(class_weight.get(index, 1.0)) for index in range(size)]

    def add_weights(batch):
        labels = [batch["source"][1]]
        if "target_labelled" in batch:
            labels.append(tf.cast(batch["target_labelled"][1], labels[0].dtype))
        known = tf.concat(labels, 0)
        known = tf.argmax(known, -1, "int32") if one_hot else tf.cast(known, "int32")
        if len(known.shape) == 2 and known.shape[1] == 1:
            known = known[:, 0]  # a column, which weights of examples would make a table
        known = tf.where(known < 0, size - 1, tf.minimum(known, size - 1))  # void may be -1
        return {**batch, "label_weight": tf.gather(tf.constant(table), known)}

    return data.map(add_weights)
