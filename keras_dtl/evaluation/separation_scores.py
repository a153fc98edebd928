"""What two codes of an image hold, and what an exchange of them keeps."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from keras_dtl.evaluation.image_judge import judge_images, judged_share
from keras_dtl.evaluation.prediction import predict
from keras_dtl.evaluation.separation import (
    correlation,
    explained_variance,
    mean_distance,
    probe_accuracy,
    retrieval_precision,
    slant,
    stroke_thickness,
)

FEW = 1000
"""How many images are judged in the course of a training."""
PROBED = 20_000
"""At most so many training images teach a probe."""


class Autoencoder(NamedTuple):
    """The two functions that an exchange of codes needs.

    Args:
        encode: Function from a batch of uint8 images `(batch, height, width, channels)` to
            `[content, mean of the style, log variance of the style]`, each `(batch, numbers)`.
        decode: Keras model, or function, from `[content, style]` to uint8 images.
    """

    encode: Callable
    decode: Callable


def probes(train: tuple, test: tuple, seed: int) -> dict:
    """Return what linear and MLP probes read of the class in each code.

    Args:
        train, test: `(codes by name, labels)`: arrays `(examples, numbers)` and `(examples,)`.
        seed: Of the probes.

    Returns:
        `{code: {"linear": accuracy, "mlp": accuracy}}`, accuracies on `test` in 0..1.
    """
    return {
        name: {
            kind: probe_accuracy((train[0][name], train[1]), (test[0][name], test[1]), kind, seed)
            for kind in ("linear", "mlp")
        }
        for name in train[0]
    }


def codes_of(encode: Callable, images: np.ndarray, seed: int = 0) -> dict:
    """Return content, mean style and drawn style of images.

    Args:
        encode: As in `Autoencoder`.
        images: uint8 array `(examples, height, width, channels)`, 0..255.
        seed: Of the draw.

    Returns:
        Arrays `(examples, numbers)` by name: `"s"`, `"z_mean"` and `"z_sample"`.
    """
    content, mean, log_variance = predict(encode, images)
    noise = np.random.default_rng(seed).standard_normal(mean.shape).astype("float32")
    return {"s": content, "z_mean": mean, "z_sample": mean + np.exp(0.5 * log_variance) * noise}


def swap_scores(
    autoencoder: Autoencoder, judge: keras.Model, train: tuple, test: tuple, seed: int = 0
) -> dict:
    """Return how well class and style are apart in two codes, and what an exchange keeps.

    Args:
        autoencoder: The `Autoencoder`.
        judge: What `fit_judge` returns.
        train, test: `(images, labels)`: uint8 `(examples, height, width, channels)` and integers
            `(examples,)`. The probes learn `train`; all else is of `test`.
        seed: Of draws, exchanges and probes.

    Returns:
        JSON-ready: `judge`, `swap_accuracy` and `prior_accuracy` as `judged_share` gives them;
        `class_from` as `probes` does; `style_kept`, `diversity` and `content_ignored` as the
        functions of these names; `retrieval`, the `retrieval_precision` by either code.
    """
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(train[0]))[:PROBED]
    known = codes_of(autoencoder.encode, train[0][chosen], seed)
    images, labels = test
    codes = codes_of(autoencoder.encode, images, seed + 1)
    donor = random.permutation(len(images))  # image i lends its style to the content of donor[i]
    decode = autoencoder.decode
    swapped = predict(decode, [codes["s"][donor], codes["z_mean"]])
    prior = random.standard_normal(codes["z_mean"].shape).astype("float32")
    return {
        "judge": judged_share(judge, images, labels),
        "class_from": probes((known, train[1][chosen]), (codes, labels), seed),
        "swap_accuracy": judged_share(judge, swapped, labels[donor]),
        "prior_accuracy": judged_share(judge, predict(decode, [codes["s"], prior]), labels),
        "style_kept": style_kept(autoencoder.encode, images, swapped, codes["z_mean"]),
        "diversity": diversity(judge, decode, codes, images, labels, random),
        "retrieval": {name: retrieval_precision(codes[name], labels) for name in ("s", "z_mean")},
        "content_ignored": content_ignored(decode, images, codes, donor),
    }


def swap_progress(
    exchange: Callable, judge: keras.Model, images: np.ndarray, labels: np.ndarray
) -> dict:
    """Return the share of exchanged images that are judged right, of a few.

    Args:
        exchange: Keras model, or function, from uint8 `[content images, style images]` to images.
        judge: What `fit_judge` returns.
        images, labels: Test images and their classes, of which the first thousand are taken.

    Returns:
        `{"swap_accuracy": ...}`, in 0..1.
    """
    images, labels = images[:FEW], labels[:FEW]
    content = np.roll(np.arange(len(images)), 1)
    swapped = predict(exchange, [images[content], images])
    right = judge_images(judge, swapped)[0] == labels[content]
    return {"swap_accuracy": float(right.mean())}


def style_kept(
    encode: Callable, images: np.ndarray, swapped: np.ndarray, styles: np.ndarray
) -> dict:
    """Return how much of slant, thickness and the style code itself an exchange keeps.

    Args:
        encode: As in `Autoencoder`.
        images: uint8 `(examples, height, width, channels)`: what the styles are of.
        swapped: Images of other contents in these styles.
        styles: The style codes `(examples, numbers)`.

    Returns:
        `code`, the share of variance that is found again; of grey images also the correlations
        `slant` and `thickness`, in -1..1.
    """
    kept = {"code": explained_variance(styles, codes_of(encode, swapped)["z_mean"])}
    if images.shape[-1] == 1:
        kept["slant"] = correlation(slant(images), slant(swapped))
        kept["thickness"] = correlation(stroke_thickness(images), stroke_thickness(swapped))
    return kept


def diversity(
    judge: keras.Model,
    decode: Callable,
    codes: dict,
    images: np.ndarray,
    labels: np.ndarray,
    random: np.random.Generator,
) -> dict:
    """Return how far apart the styles of one content are, relative to real images of a class.

    Args:
        judge: What `fit_judge` returns.
        decode: As in `Autoencoder`.
        codes: What `codes_of` returns of the images.
        images, labels: uint8 `(examples, height, width, channels)`, and their classes.
        random: Choice of the styles.

    Returns:
        Ratios of mean distances, `features` of the judge's and `pixels`: 1 where generated images
        differ as real ones do.
    """
    partner = partners(labels, random)
    drawn = [predict(decode, [codes["s"], codes["z_mean"][i]]) for i in (partner, partner[::-1])]
    of_generated = [judge_images(judge, part)[1] for part in drawn]
    of_real = judge_images(judge, images)[1]
    return {
        "features": mean_distance(*of_generated) / mean_distance(of_real, of_real[partner]),
        "pixels": mean_distance(*drawn) / mean_distance(images, images[partner]),
    }


def content_ignored(decode: Callable, images: np.ndarray, codes: dict, donor: np.ndarray) -> dict:
    """Return the errors of rebuilt images, and of ones rebuilt with another image's content.

    Where both are alike, the decoder does without the content.

    Args:
        decode: As in `Autoencoder`.
        images: uint8 `(examples, height, width, channels)`.
        codes: What `codes_of` returns of them.
        donor: Index of the image whose content each is given, `(examples,)`.

    Returns:
        `error` and `error_with_other_content`, mean absolute levels of 0..255.
    """
    rebuilt = predict(decode, [codes["s"], codes["z_mean"]]).astype("float64")
    shuffled = predict(decode, [codes["s"][donor], codes["z_mean"]]).astype("float64")
    return {
        "error": float(np.abs(rebuilt - images).mean()),
        "error_with_other_content": float(np.abs(shuffled - images).mean()),
    }


def partners(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return for each example another one of its label, itself where it is alone.

    Args:
        labels: Integers `(examples,)`.
        random: Choice of the partners; each example is the partner of one.

    Returns:
        Indices `(examples,)`.
    """
    result = np.arange(len(labels))
    for label in np.unique(labels):
        of_class = random.permutation(np.flatnonzero(labels == label))
        result[of_class] = np.roll(of_class, 1)
    return result
