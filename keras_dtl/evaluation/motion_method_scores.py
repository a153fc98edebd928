"""Scores of methods of motion: transfer of style, pairs of one content, rebuilding from codes."""

from collections.abc import Callable

import numpy as np

from keras_dtl.evaluation.motion_scores import BATCH, MotionScores, choose, other_styles
from keras_dtl.evaluation.prediction import predict
from keras_dtl.evaluation.separation_scores import partners
from keras_dtl.evaluation.view_scores import class_entropy, draw_codes


def transfer_scores(
    scores: MotionScores, transfer: Callable, test, held_out=None, seed: int = 0
) -> dict:
    """Score transfers of style, between test windows and with cells that were never trained on.

    Args:
        scores: The `MotionScores`.
        transfer: Function, or Keras model, from `(content, style)` features to features.
        test: Windows of test clips.
        held_out: Windows of the held-out cells, or None.
        seed: Choice of the styles.

    Returns:
        What `MotionScores.score_transfers` gives, by name: `transfers` between test clips;
        `to_held_out_cells` those that make a style of an action which was never trained on
        together; `from_held_out_cells` those of clips of such cells.
    """
    random = np.random.default_rng(seed)
    chosen = other_styles(test.styles, test.styles, random)
    found = {"transfers": scores.score_transfers(transfer, test, test, chosen, test)}
    real = scores.unseen
    if real is None or not len(real.features):
        return found
    content, chosen = _held_out_requests(held_out, test, random)
    if len(content.features):
        towards = scores.score_transfers(transfer, content, test, chosen, real)
        found["to_held_out_cells"] = towards
    chosen = other_styles(held_out.styles, test.styles, random)
    found["from_held_out_cells"] = scores.score_transfers(transfer, held_out, test, chosen, real)
    return found


def _held_out_requests(held_out, test, random):
    """Return test windows that have a held-out cell's action, and ones that have its style."""
    content, style = [], []
    for cell in sorted({*zip(held_out.actions.tolist(), held_out.styles.tolist(), strict=True)}):
        same_action = np.flatnonzero((test.actions == cell[0]) & (test.styles != cell[1]))
        same_style = np.flatnonzero(test.styles == cell[1])
        if len(same_style):
            content += list(same_action)
            style += list(random.choice(same_style, len(same_action)))
    return choose(test, np.array(content, int)), np.array(style, int)


def pair_scores(
    scores: MotionScores, generate: Callable, numbers: tuple[int, int], test, seed: int = 0
) -> dict:
    """Score motions drawn in pairs of one content, as many pairs as there are test windows.

    Args:
        scores: The `MotionScores`.
        generate: Function, or Keras model, from codes `(content, style)` to features.
        numbers: How many numbers the code of a content and that of a style have.
        test: Windows of test clips.
        seed: Of the codes and of the real pairs.

    Returns:
        `agreement`, how often both motions are judged to be one action, and `style_differs`, how
        often two styles, each beside that of real pairs of one action (`ceiling`,
        `style_differs_real`); `action_entropy`, 1 where all actions are drawn alike; `samples`,
        what `MotionScores.score` gives.
    """
    random = np.random.default_rng(seed)
    sizes = (numbers[0], numbers[1], numbers[1])
    content, *styles = (draw_codes(len(test.features), size, random) for size in sizes)
    first, second = (predict(generate, (content, style), BATCH) for style in styles)
    partner = test.features[partners(test.actions, random)]
    of_action, of_style = (scores.judges[kind].answers for kind in ("action", "style"))
    actions = of_action(first)
    return {
        "agreement": float(np.mean(actions == of_action(second))),
        "ceiling": float(np.mean(of_action(test.features) == of_action(partner))),
        "style_differs": float(np.mean(of_style(first) != of_style(second))),
        "style_differs_real": float(np.mean(of_style(test.features) != of_style(partner))),
        "action_entropy": class_entropy(actions, len(np.unique(test.actions))),
        "samples": scores.score(first, None, None, test),
    }


def rebuilding_scores(real: np.ndarray, rebuilt: np.ndarray, codes: np.ndarray) -> dict:
    """Return how well motion comes back from its codes, and whether these are standard Gaussian.

    Args:
        real, rebuilt: Features `(windows, frames, features)`.
        codes: `(windows, numbers)`.

    Returns:
        `reconstruction_error`, root mean squared over the deviation of real features: 0 where
        nothing is lost; `codes`, their `mean` and `deviation`.
    """
    error = np.sqrt(np.mean((rebuilt - real) ** 2) / real.var((0, 1)).mean())
    return {
        "reconstruction_error": float(error),
        "codes": {"mean": float(codes.mean()), "deviation": float(codes.std())},
    }
