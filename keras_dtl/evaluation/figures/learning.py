"""How a measure grows with what there is to learn from."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from keras_dtl.evaluation.figures.appearance import (
    PAGE_WIDTH,
    add_legend,
    new_figure,
    series_color,
    style_axes,
    text_style,
)
from keras_dtl.page import printable


def learning_curves(panels: Mapping, x_label: str, y_label: str) -> Figure:
    """Draw lines with their spread over a logarithmic axis, one panel beside the other.

    Args:
        panels: `{title: {line: {x: (mean, deviation)}}}`; a line keeps its colour in all panels.
        x_label: What x counts.
        y_label: What is measured, with its unit.

    Raises:
        ValueError: When there is nothing to draw.
    """
    lines = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    if not lines:
        raise ValueError("There are no learning curves to draw: no line has a point yet.")
    figure = new_figure(PAGE_WIDTH, 3.2)
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, panel) in zip(every, panels.items(), strict=True):
        places = sorted({x for points in panel.values() for x in points})
        for name, points in panel.items():
            _draw_line(axes, points, series_color(lines.index(name)), name)
        style_axes(axes, grid="y")
        axes.set_xscale("log")
        axes.set_xticks(places, [str(x) for x in places])
        axes.minorticks_off()
        axes.set_xlabel(x_label, **text_style())
        axes.set_title(printable(title), **text_style(weight="bold"), pad=28)
    every[0].set_ylabel(y_label, **text_style())
    add_legend(every[0], *every[0].get_legend_handles_labels(), ncols=4)
    return figure


def _draw_line(axes, points, color, label):
    x = np.array(sorted(points))
    mean, deviation = np.array([points[place] for place in x], float).T
    axes.plot(x, mean, color=color, label=printable(label), linewidth=1.8, marker="o", markersize=4)
    axes.fill_between(x, mean - deviation, mean + deviation, color=color, alpha=0.18, linewidth=0)
