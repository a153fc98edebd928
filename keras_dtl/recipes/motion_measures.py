"""Numbers of motion that was transferred or drawn, JSON-ready."""

import numpy as np

from keras_dtl.data.walker import FACTORS, measure_factors
from keras_dtl.evaluation.motion_scores import MotionScores, choose, other_styles
from keras_dtl.evaluation.separation import correlation
from keras_dtl.evaluation.separation_scores import partners
from keras_dtl.motion import features_of, positions_of

BATCH = 128
_OF_CONTENT = ("frequency", "amplitude")


def in_batches(model, *arrays):
    """Return what a model makes of arrays of equal length, some rows at a time."""
    rows = range(0, len(arrays[0]), BATCH)
    pieces = ([array[start : start + BATCH] for array in arrays] for start in rows)
    made = [model(piece[0] if len(piece) == 1 else tuple(piece)) for piece in pieces]
    return np.concatenate([np.asarray(piece) for piece in made])


def scores_of(data):
    parts = (data.train, data.test, data.clips.skeleton, data.clips.rate, data.held_out)
    return MotionScores(*parts, style_names=data.clips.style_names)


def style_scores(model, data, seed=0):
    """Return the measures of a trained `SequenceStyleTransfer`.

    `transfers` are between test clips; `to_held_out_cells` those that make a style of an action
    which was never trained on together; `from_held_out_cells` those of clips of such cells.
    """
    judge, test = scores_of(data), data.test
    random = np.random.default_rng(seed)

    def transfer(pair):
        return in_batches(model, *pair)

    chosen = other_styles(test.styles, test.styles, random)
    scores = {"transfers": judge.transfers(transfer, test, test, chosen, test)}
    if judge.unseen is not None and len(judge.unseen.features):
        content, chosen = _towards(data.held_out, test, random)
        if len(content.features):
            made = judge.transfers(transfer, content, test, chosen, judge.unseen)
            scores["to_held_out_cells"] = made
        chosen = other_styles(data.held_out.styles, test.styles, random)
        made = judge.transfers(transfer, data.held_out, test, chosen, judge.unseen)
        scores["from_held_out_cells"] = made
    if data.clips.factors is not None:
        scores["factors"] = transferred_factors(model, data, seed)
    return scores


def _towards(held, test, random):
    """Return test windows that have a held-out cell's action, and ones that have its style."""
    content, style = [], []
    for cell in sorted({*zip(held.actions.tolist(), held.styles.tolist(), strict=True)}):
        same_action = np.flatnonzero((test.actions == cell[0]) & (test.styles != cell[1]))
        same_style = np.flatnonzero(test.styles == cell[1])
        if len(same_style):
            content += list(same_action)
            style += list(random.choice(same_style, len(same_action)))
    return choose(test, np.array(content, int)), np.array(style, int)


def transferred_factors(model, data, seed=0):
    """Return how far the walker's true factors are found in transfers between test clips.

    Frequency and amplitude should be the content's, lean and arms the style's. `within_cells`
    takes away what the cell alone would tell. `real` is how well they are measured of real clips.
    """
    clips = data.split.test
    random = np.random.default_rng(seed)
    content = np.repeat(np.arange(len(clips)), 3)
    style = other_styles(clips.styles[content], clips.styles, random)
    features = np.stack([features_of(positions, clips.skeleton) for positions in clips.positions])
    made = in_batches(model, features[content], features[style])
    found = _measured(made, clips.skeleton)
    found_real = _measured(features, clips.skeleton)
    scores = {}
    for column, name in enumerate(FACTORS):
        source = content if name in _OF_CONTENT else style
        scores[name] = {
            "correlation": correlation(found[:, column], clips.factors[source, column]),
            "within_cells": correlation(
                _centred(found[:, column], clips.cells[source]),
                _centred(clips.factors[source, column], clips.cells[source]),
            ),
            "real": correlation(found_real[:, column], clips.factors[:, column]),
        }
    return scores


def _measured(features, skeleton):
    return np.array([measure_factors(positions_of(window, skeleton)) for window in features])


def _centred(values, cells):
    """Take the mean of its cell from each value."""
    means = {cell: values[cells == cell].mean() for cell in np.unique(cells)}
    return values - np.array([means[cell] for cell in cells])


def pair_scores(model, data, seed=0):
    """Return the measures of a trained `SequenceGMV`, as many pairs as there are test windows.

    `agreement` is how often both motions of a pair are judged to be one action and `style_differs`
    how often they are judged to be of two styles, each beside that of real pairs of one action.
    """
    judge, test = scores_of(data), data.test
    random = np.random.default_rng(seed)
    content, *styles = (
        random.standard_normal((len(test.features), numbers)).astype("float32")
        for numbers in (model.content_numbers, model.view_numbers, model.view_numbers)
    )
    first, second = (in_batches(model, content, style) for style in styles)
    partner = test.features[partners(test.actions, random)]
    of_action, of_style = judge.judges["action"].answers, judge.judges["style"].answers
    made, real = (
        (of_action(first), of_action(second)),
        (of_action(test.features), of_action(partner)),
    )
    shares = np.bincount(made[0], minlength=len(data.clips.action_names)) / len(first)
    entropy = -np.sum(shares[shares > 0] * np.log(shares[shares > 0]))
    return {
        "agreement": float(np.mean(made[0] == made[1])),
        "ceiling": float(np.mean(real[0] == real[1])),
        "style_differs": float(np.mean(of_style(first) != of_style(second))),
        "style_differs_real": float(np.mean(of_style(test.features) != of_style(partner))),
        "action_entropy": float(entropy / np.log(len(np.unique(test.actions)))),
        "samples": judge.judged(first, None, None, test),
    }


def synthesis_scores(model, data, labels, seed=0):
    """Return the measures of a trained `SequentialAdversarialAutoencoder`.

    Args:
        model: The method.
        data: The `MotionData`.
        labels: Function from windows to the labels that the decoder is told, or None.
        seed: Of the samples.
    """
    judge = scores_of(data)
    test, wanted = data.test, labels(data.test)
    model.random.state.assign(np.array([seed, 0], "uint32"))
    made = np.asarray(model.sample(len(test.features), test.features.shape[1], wanted))
    cells = {"actions": None, "styles": None}
    if wanted is not None:
        cells["styles" if wanted is test.styles else "actions"] = wanted
    samples = judge.judged(made, **cells, real=test)
    inputs = (test.features,) if wanted is None else (test.features, wanted)
    rebuilt = in_batches(model, *inputs)
    error = np.sqrt(np.mean((rebuilt - test.features) ** 2) / test.features.var((0, 1)).mean())
    scores = {"samples": samples, "reconstruction_error": float(error)}
    codes = in_batches(model.encoder, _normalized(model, test.features))
    scores["codes"] = {"mean": float(codes.mean()), "deviation": float(codes.std())}
    if data.clips.factors is not None:
        scores["factors"] = coded_factors(model, data, labels)
    return scores


def _normalized(model, features):
    return (features - np.array(model.mean, "f4")) / np.array(model.deviation, "f4")


def coded_factors(model, data, labels):
    """Return how well a linear map finds the walker's factors in codes and label of test windows.

    `rebuilt` is the correlation of factors measured of the rebuilt motion of whole clips.
    """
    from sklearn.linear_model import Ridge

    known = {}
    for name, windows, clips in (
        ("train", data.train, data.split.train),
        ("test", data.test, data.split.test),
    ):
        codes = in_batches(model.encoder, _normalized(model, windows.features))
        told = labels(windows)
        if told is not None:
            codes = np.concatenate([codes, np.eye(model.num_classes)[told]], 1)
        known[name] = codes, clips.factors[windows.clips]
    found = Ridge(1.0).fit(*known["train"]).predict(known["test"][0])
    true = known["test"][1]
    return {
        name: {"correlation": correlation(found[:, column], true[:, column])}
        for column, name in enumerate(FACTORS)
    }
