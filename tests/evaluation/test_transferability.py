import math

import numpy as np
import pytest

from keras_dtl.evaluation import figures, transfer_effects

LAYERS = (1, 2, 3, 4)


def run(base, shift=0.0):
    """Return a run that shows all four effects, clearly beyond `shift`."""
    return {
        "base": base,
        "BnB": dict(zip(LAYERS, (base, base - 0.05 + shift, base, base), strict=True)),
        "BnB+": dict.fromkeys(LAYERS, base),
        "AnB": {layer: base - 0.03 * layer + shift for layer in LAYERS},
        "AnB+": dict.fromkeys(LAYERS, base + 0.02 + shift),
        "random": {layer: base - 0.15 * layer for layer in LAYERS},
    }


def test_effects_are_differences_to_the_base_of_each_run():
    runs = [run(0.9), run(0.6, 0.01), run(0.7, 0.005), run(0.8, 0.005)]
    effects = transfer_effects(runs)
    assert all(effect["seen"] for effect in effects.values())
    assert effects["co-adaptation"]["layer"] == 2
    assert effects["co-adaptation"]["difference"] == pytest.approx(-0.045)
    assert effects["co-adaptation"]["standard_error"] == pytest.approx(0.00204, rel=1e-3)
    assert effects["specificity"]["difference"] == pytest.approx(-0.115)
    assert effects["generalisation"]["difference"] == pytest.approx(0.025)
    assert effects["random features"]["layer"] == 4


def test_two_runs_that_agree_by_chance_show_nothing():
    """Of two draws of noise about 0 the mean is beyond twice its error in 30 % of studies."""
    random = np.random.default_rng(0)
    seen = dict.fromkeys(transfer_effects([run(0.9)]), 0)
    for _ in range(200):
        noise = random.normal(0, 0.01, (2, 4, len(LAYERS)))
        kinds = ("BnB", "AnB", "AnB+", "random")
        runs = [
            {"base": 0.9} | {k: dict(zip(LAYERS, 0.9 + row)) for k, row in zip(kinds, rows)}
            for rows in noise
        ]
        for name, effect in transfer_effects(runs).items():
            seen[name] += effect["seen"]
    assert max(seen.values()) < 0.07 * 200


def test_what_is_not_beyond_the_doubt_is_not_seen():
    effects = transfer_effects([run(0.9), run(0.9, 0.2)])
    assert not effects["specificity"]["seen"]
    assert not effects["co-adaptation"]["seen"]
    assert effects["random features"]["seen"]


def test_one_run_says_nothing_sure_and_half_a_run_is_no_error():
    assert not any(effect["seen"] for effect in transfer_effects([run(0.9)]).values())
    assert transfer_effects([{"base": 0.5}]) == {}
    half = transfer_effects([{"base": 0.5, "BnB": {1: 0.4}}])
    assert math.isnan(half["specificity"]["difference"])


def test_figure_has_a_line_for_each_kind():
    axes = figures.transfer_curves([run(0.9), run(0.8)]).axes[0]
    assert len(axes.get_lines()) == 6
    assert axes.get_xticks().tolist() == [0, 1, 2, 3, 4]
    figures.transfer_curves([{"base": 0.5}])
    with pytest.raises(ValueError, match="base"):
        figures.transfer_curves([])


def test_learning_curves_share_colours_between_panels():
    points = {5: (50.0, 1.0), 20: (70.0, 0.5)}
    figure = figures.learning_curves(
        {"a": {"x": points, "y": points}, "b": {"y": points}}, "n", "%"
    )
    first, second = figure.axes
    assert first.get_lines()[1].get_color() == second.get_lines()[0].get_color()
    with pytest.raises(ValueError, match="no learning curves"):
        figures.learning_curves({"a": {}}, "n", "%")
