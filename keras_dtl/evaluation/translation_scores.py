"""What is measured of generators between two domains, in training and after it."""

from collections.abc import Callable

import keras
import numpy as np

from keras_dtl.evaluation.distribution import frechet_distance, kernel_distance
from keras_dtl.evaluation.features import features_of
from keras_dtl.evaluation.prediction import predict
from keras_dtl.evaluation.similarity import (
    absolute_error,
    brightness_correlation,
    perceptual_distance,
)

BATCH = 8
FEWEST = 2
"""Images of each kind that FID and KID need."""


def translate(generator: Callable, images: np.ndarray) -> np.ndarray:
    """Return what a generator makes of images, eight at a time and untraced.

    Args:
        generator: Keras model, or function, from uint8 images to uint8 images.
        images: uint8 `(examples, height, width, channels)`, 0..255.

    Returns:
        uint8 `(examples, height, width, channels)`.
    """
    return predict(generator, images, BATCH)


class TranslationProgress:
    """What is logged every few epochs: KID, and whether brightness is turned round.

    Called with a generator it returns `{"kid": ..., "brightness_correlation": ...}`, the latter
    in -1..1, and the former of two images or more of each kind.

    Args:
        network: Such as `feature_network` returns.
        source: uint8 images to translate, `(examples, height, width, channels)`.
        answers: Real images that translations should resemble as a set.
        reference: Images whose brightness each translation should have: the source by default,
            the answers where these are pairs.
    """

    def __init__(
        self,
        network: keras.Model,
        source: np.ndarray,
        answers: np.ndarray,
        reference: np.ndarray | None = None,
    ):
        self.network = network
        self.source = source
        self.reference = source if reference is None else reference
        self.features = features_of(network, answers)

    def __call__(self, generator: Callable) -> dict:
        translated = translate(generator, self.source)
        scores = {"brightness_correlation": brightness_correlation(translated, self.reference)}
        if min(len(self.source), len(self.features)) < FEWEST:
            return scores
        return {
            "kid": kernel_distance(features_of(self.network, translated), self.features)
        } | scores


def set_distances(network: keras.Model, translated: np.ndarray, answers: np.ndarray) -> dict:
    """Return how far translated images are from real ones of that domain, as sets.

    Args:
        network: Such as `feature_network` returns.
        translated, answers: uint8 `(examples, height, width, channels)`.

    Returns:
        `{"fid": ..., "kid": ...}`, see `frechet_distance` and `kernel_distance`; nothing where
        there are fewer than two images of a kind.
    """
    if min(len(translated), len(answers)) < FEWEST:
        return {}
    both = features_of(network, translated), features_of(network, answers)
    return {"fid": frechet_distance(*both), "kid": kernel_distance(*both)}


def perceptual_scores(network: keras.Model, translated: np.ndarray, answers: np.ndarray) -> dict:
    """Return the perceptual distance by name, or nothing of a network without maps to take it in.

    Args:
        network: Such as `feature_network` returns.
        translated, answers: uint8 `(examples, height, width, channels)` of one shape.
    """
    try:
        return {"perceptual_distance": perceptual_distance(network, translated, answers)}
    except ValueError:
        return {}


def cycle_errors(
    generators: tuple[Callable, Callable],
    images: tuple[np.ndarray, np.ndarray],
    translated: tuple[np.ndarray, np.ndarray],
) -> dict:
    """Return how far from itself an image comes back, and is moved by its own domain's generator.

    Args:
        generators: From A to B, and back.
        images: Of A and of B, uint8 `(examples, height, width, channels)`.
        translated: What the generators made of them: images of B, and of A.

    Returns:
        `cycle_error` and, where the domains have equally many channels, `identity_error`: mean
        absolute differences in levels of 0..255.
    """
    there, back = generators
    a, b = images
    of_a, of_b = translated
    cycle = [absolute_error(translate(back, of_a), a), absolute_error(translate(there, of_b), b)]
    errors = {"cycle_error": float(np.mean(cycle))}
    if a.shape[-1] == b.shape[-1]:
        same = [absolute_error(translate(back, a), a), absolute_error(translate(there, b), b)]
        errors["identity_error"] = float(np.mean(same))
    return errors
