"""What a study of layer transfer shows, with the doubt that few runs leave."""

import math
import statistics

KINDS = ("BnB", "BnB+", "AnB", "AnB+", "random")
EFFECTS = {
    "co-adaptation": "frozen layers of the same task fall below the base in the middle (BnB)",
    "specificity": "frozen layers of the other task fall below the base at the last layer (AnB)",
    "generalisation": "tuned layers of the other task stay above the base (AnB+)",
    "random features": "random frozen layers lie far below the base at the last layer",
}


def transfer_effects(runs: list[dict]) -> dict:
    """Test the four effects of Yosinski et al. (2014) on the runs of a study.

    Each run is compared with its own base, so what splits differ in falls out. An effect counts
    as seen where its mean difference is beyond what chance makes of none in 5 % of studies, to
    either side, by Student's t: with two runs that is 13 standard errors, with six 2.6. Of the
    layer with the deepest dip it is more, as it is chosen from several.

    Args:
        runs: List, one entry a split and seed, of `{"base": accuracy, kind: {layer: accuracy}}`,
            accuracies in 0..1, kinds those of `KINDS`.

    Returns:
        `{effect: {"what", "layer", "difference", "standard_error", "seen"}}`; the error is None
        with a single run, and then nothing counts as seen.
    """
    layers = sorted({layer for run in runs for layer in run.get("BnB", {})})
    if not layers:
        return {}
    last, inner = layers[-1], layers[1:-1] or layers
    dip = min(inner, key=lambda layer: _mean(_differences(runs, "BnB", layer)))
    return {
        "co-adaptation": _effect(
            "co-adaptation", _differences(runs, "BnB", dip), -1, dip, len(inner)
        ),
        "specificity": _effect("specificity", _differences(runs, "AnB", last), -1, last),
        "generalisation": _effect("generalisation", _over_layers(runs, "AnB+", layers), 1, None),
        "random features": _effect("random features", _differences(runs, "random", last), -1, last),
    }


def _differences(runs, kind, layer):
    found = [run for run in runs if layer in run.get(kind, {})]
    return [run[kind][layer] - run["base"] for run in found]


def _over_layers(runs, kind, layers):
    """Return the mean difference over all layers, one a run."""
    every = [[run] for run in runs if run.get(kind)]
    return [_mean([d for layer in layers for d in _differences(one, kind, layer)]) for one in every]


def _effect(name, differences, direction, layer, chosen_from=1):
    count = len(differences)
    error = statistics.stdev(differences) / math.sqrt(count) if count > 1 else None
    mean = _mean(differences)
    doubt = math.inf if error is None else error * _quantile(count, chosen_from)
    return {
        "what": EFFECTS[name],
        "layer": layer,
        "difference": mean,
        "standard_error": error,
        "seen": direction * mean > doubt,
    }


def _quantile(count, chosen_from):
    """Return how many standard errors are beyond chance, of the largest of several means."""
    from scipy import stats

    return float(stats.t.ppf(1 - 0.025 / chosen_from, count - 1))


def _mean(values):
    return statistics.fmean(values) if values else math.nan
