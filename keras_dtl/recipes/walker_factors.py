"""Whether the true factors of the embedded walker are found in transfers and in codes."""

from collections.abc import Callable

import numpy as np

from keras_dtl.data.walker import FACTORS, measure_factors
from keras_dtl.evaluation.motion_scores import BATCH, other_styles
from keras_dtl.evaluation.prediction import predict
from keras_dtl.evaluation.separation import correlation
from keras_dtl.motion import features_of, positions_of

_OF_CONTENT = ("frequency", "amplitude")


def transferred_factors(transfer: Callable, clips, seed: int = 0) -> dict:
    """Return how far the walker's true factors are found in transfers between clips.

    Frequency and amplitude should be the content's, lean and arms the style's.

    Args:
        transfer: From `(content, style)` features to features.
        clips: `Clips` of the walker, with their factors.
        seed: Choice of the styles; each clip is the content of three.

    Returns:
        `{factor: {"correlation", "within_cells", "real"}}`, in -1..1: `within_cells` takes away
        what the cell alone would tell, `real` is how well the factor is measured of real clips.
    """
    random = np.random.default_rng(seed)
    content = np.repeat(np.arange(len(clips)), 3)
    style = other_styles(clips.styles[content], clips.styles, random)
    features = np.stack([features_of(positions, clips.skeleton) for positions in clips.positions])
    made = predict(transfer, (features[content], features[style]), BATCH)
    found = _measure_factors(made, clips.skeleton)
    found_real = _measure_factors(features, clips.skeleton)
    scores = {}
    for column, name in enumerate(FACTORS):
        source = content if name in _OF_CONTENT else style
        true = clips.factors[source, column]
        pair = (_center(values, clips.cells[source]) for values in (found[:, column], true))
        scores[name] = {
            "correlation": correlation(found[:, column], true),
            "within_cells": correlation(*pair),
            "real": correlation(found_real[:, column], clips.factors[:, column]),
        }
    return scores


def _measure_factors(windows, skeleton):
    return np.array([measure_factors(positions_of(window, skeleton)) for window in windows])


def _center(values, cells):
    """Take the mean of its cell from each value."""
    means = {cell: values[cells == cell].mean() for cell in np.unique(cells)}
    return values - np.array([means[cell] for cell in cells])


def coded_factors(train: tuple, test: tuple) -> dict:
    """Return how well a linear map finds the walker's factors in codes of windows.

    Args:
        train, test: `(codes, factors)`: arrays `(windows, numbers)` and `(windows, 4)`.

    Returns:
        `{factor: {"correlation": ...}}`, in -1..1, on `test`.
    """
    from sklearn.linear_model import Ridge

    found, true = Ridge(1.0).fit(*train).predict(test[0]), test[1]
    return {
        name: {"correlation": correlation(found[:, column], true[:, column])}
        for column, name in enumerate(FACTORS)
    }
