"""A classifier of real images that judges generated ones: fitted once, frozen, the same for all."""

import zlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_dtl.evaluation.prediction import predict
from keras_dtl.evaluation.separation import bootstrap_interval
from keras_dtl.files import atomic_path
from keras_dtl.keras_models import read_model

JUDGE_EPOCHS = 8
JUDGE_BATCH = 128
_LEAST_STEPS = 100  # in an epoch


def fit_judge(
    build_network: Callable[[], keras.Model],
    images: np.ndarray,
    labels: np.ndarray,
    num_classes: int | None = None,
    seed: int = 0,
    epochs: int = JUDGE_EPOCHS,
    batches=None,
) -> keras.Model:
    """Fit a classifier of real images and freeze it.

    Args:
        build_network: Function without arguments that returns a new network from uint8 images to
            features `(batch, features)`, such as `lambda: backbones.lenet((28, 28, 1))`. It is
            called when the seed is set.
        images: uint8 array `(examples, height, width, channels)`, 0..255.
        labels: Integers `(examples,)` in 0..num_classes-1.
        num_classes: How many classes there are; by default as many as the highest label tells.
        seed: Of the weights, of dropout and of the order of the images.
        epochs: Passes over the images, or over 100 batches where these are more; the learning
            rate falls from 2e-3 along a cosine.
        batches: Endless batches of 128 images with their labels, in an order of one's own.

    Returns:
        A Keras model from uint8 images to `[logits, features]`: the logits of the classes, and
        the 128 numbers below them, 0 or more.
    """
    keras.utils.set_random_seed(seed)
    body = build_network()
    hidden = keras.layers.Dense(128, activation="relu")(body.output)
    dropped = keras.layers.Dropout(0.5)(hidden)
    logits = keras.layers.Dense(num_classes or int(labels.max()) + 1)(dropped)
    classifier = keras.Model(body.input, logits)
    steps = max(len(images) // JUDGE_BATCH, _LEAST_STEPS)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(rate), loss)
    classifier.optimizer.build(classifier.trainable_variables)  # else the step is traced twice
    batches = _shuffled_batches(images, labels, seed) if batches is None else batches
    classifier.fit(batches, steps_per_epoch=steps, epochs=epochs, shuffle=False, verbose=0)
    judge = keras.Model(body.input, [logits, hidden], name="judge")
    judge.trainable = False
    return judge


def _shuffled_batches(images, labels, seed):
    import tensorflow as tf

    order = tf.data.Dataset.range(len(images)).shuffle(len(images), seed).repeat()
    rows = order.batch(JUDGE_BATCH)
    return rows.map(lambda row: (tf.gather(images, row), tf.gather(labels, row)))


def load_or_fit_judge(
    fit: Callable[[], keras.Model], images: np.ndarray, labels: np.ndarray, folder: Path
) -> keras.Model:
    """Return the frozen judge of these images, fitted once and kept in a folder.

    It has one seed, whatever that of the training is: one judge for all that are compared.

    Args:
        fit: Function without arguments that fits the judge, as `fit_judge` does.
        images, labels: The arrays that it learns: another set of images has a judge of its own.
        folder: Of the run; where there is none, nothing is kept.
    """
    checksum = zlib.crc32(labels.tobytes(), zlib.crc32(images.tobytes()))
    path = folder / f"judge-{checksum:08x}-{JUDGE_EPOCHS}.keras"
    if path.exists():
        return read_model(path, remedy="Remove it: it is fitted again.")
    judge = fit()
    if folder.is_dir():  # scoring alone makes none
        with atomic_path(path) as temporary:
            judge.save(temporary)
    return judge


def judge_images(judge: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a judge takes images for.

    Args:
        judge: What `fit_judge` returns.
        images: uint8 array `(examples, height, width, channels)`, 0..255.

    Returns:
        Classes `(examples,)` and features `(examples, features)`.
    """
    logits, features = predict(judge, images)
    return logits.argmax(1), features


def judged_share(judge: keras.Model, images: np.ndarray, labels: np.ndarray) -> dict:
    """Return the share of images judged to be of a class, with its 95 % interval.

    Args:
        judge: What `fit_judge` returns.
        images: uint8 array `(examples, height, width, channels)`, 0..255.
        labels: The class that each image should show, `(examples,)`.

    Returns:
        `{"share": ..., "interval": [low, high]}`, each in 0..1.
    """
    return share_with_interval(judge_images(judge, images)[0] == labels)


def share_with_interval(right: np.ndarray) -> dict:
    """Return the share of what is right, with the 95 % interval of `bootstrap_interval`.

    Args:
        right: Booleans `(examples,)`.

    Returns:
        `{"share": ..., "interval": [low, high]}`, each in 0..1.
    """
    return {"share": float(np.mean(right)), "interval": bootstrap_interval(right)}
