"""Figure 2 of Yosinski et al. (2014)."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from keras_dtl.evaluation.figures.appearance import (
    PAGE_WIDTH,
    add_legend,
    new_figure,
    series_color,
    style_axes,
    text_style,
)
from keras_dtl.page import INK

LINES = {
    "BnB": ("same task, frozen (BnB)", 0, "-"),
    "BnB+": ("same task, tuned (BnB+)", 5, "--"),
    "AnB": ("other task, frozen (AnB)", 1, "-"),
    "AnB+": ("other task, tuned (AnB+)", 3, "--"),
    "random": ("random, frozen", 7, "-"),
}


def transfer_curves(runs: list[dict]) -> Figure:
    """Draw accuracy on task B over the layer up to which the network was copied.

    Lines are means over splits and seeds, dots single runs, which stand a little aside so that
    they can be told apart; the horizontal line is the base network.

    Args:
        runs: As for `keras_dtl.evaluation.transfer_effects`.

    Raises:
        ValueError: When there is no run with a base.
    """
    if not runs:
        raise ValueError("There is nothing to draw: no base network has been trained yet.")
    figure = new_figure(PAGE_WIDTH, 4.4)
    axes = figure.subplots()
    bases = np.array([run["base"] for run in runs])
    axes.axhline(bases.mean(), color=INK, linewidth=1, linestyle=":", label="base B")
    axes.scatter(np.zeros(len(bases)), bases, s=12, color=INK, linewidths=0)
    for place, (kind, (label, color, style)) in enumerate(LINES.items()):
        _draw(axes, runs, kind, label, series_color(color), style, 0.07 * (place - 2))
    style_axes(axes, grid="y")
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    layers = sorted({layer for run in runs for kind in LINES for layer in run.get(kind, {})})
    axes.set_xticks([0, *layers])
    axes.set_xlabel("layer n up to which the network was copied", **text_style())
    axes.set_ylabel("accuracy on task B (%)", **text_style())
    add_legend(axes, *axes.get_legend_handles_labels(), ncols=3)
    return figure


def _draw(axes, runs, kind, label, color, style, shift):
    points = [(n, accuracy) for run in runs for n, accuracy in run.get(kind, {}).items()]
    if not points:
        return
    layers = sorted({n for n, _ in points})
    means = [np.mean([accuracy for at, accuracy in points if at == n]) for n in layers]
    line = {"color": color, "linestyle": style, "linewidth": 1.8, "label": label}
    axes.plot(layers, means, **line)
    places, accuracies = np.array(points).T
    axes.scatter(places + shift, accuracies, s=9, color=color, alpha=0.6, linewidths=0)
