"""A few numbers side by side."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from keras_dtl.evaluation.figures.appearance import (
    PAGE_WIDTH,
    new_figure,
    series_color,
    style_axes,
    text_style,
)
from keras_dtl.page import ACCENT, INK, printable


def bars(
    values: Mapping,
    axis_label: str = "accuracy on the target (%)",
    percent: bool = True,
    emphasized: str | None = None,
) -> Figure:
    """Compare a few numbers, such as source-only, adapted and target-only accuracy.

    Args:
        values: Name to a number, or to several (one a seed): then the bar is their mean, the
            whisker their standard deviation.
        axis_label: What is measured, with its unit.
        percent: Whether the numbers are shares in 0..1 to be shown as percentages.
        emphasized: Name of the bar drawn in full colour; all by default.

    Raises:
        ValueError: When there is no number, or one is not finite.
    """
    samples = {name: np.atleast_1d(np.asarray(v, np.float64)) for name, v in values.items()}
    if not samples or not all(v.size and np.isfinite(v).all() for v in samples.values()):
        raise ValueError(f"Bars need at least one finite number each, got {_as_dict(values)}.")
    figure = new_figure(PAGE_WIDTH * 0.8, 0.7 + 0.42 * len(samples))
    axes = figure.subplots()
    for place, (name, numbers) in enumerate(samples.items()):
        full = emphasized is None or name == emphasized
        _draw_bar(axes, place, numbers, ACCENT if full else series_color(9), percent)
    style_axes(axes, grid="x")
    axes.spines["bottom"].set_visible(False)
    axes.invert_yaxis()
    axes.set_yticks(range(len(samples)), [printable(name) for name in samples], **text_style())
    axes.tick_params(length=0)
    axes.set_xlabel(axis_label, **text_style())
    if percent:
        axes.set_xlim(0, 1.1)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    return figure


def _as_dict(values):
    return dict(values) if isinstance(values, Mapping) else values


def _draw_bar(axes, place, numbers, color, percent):
    mean, spread = numbers.mean(), numbers.std(ddof=1) if len(numbers) > 1 else 0.0
    axes.barh(place, mean, height=0.62, color=color)
    if len(numbers) > 1:
        axes.errorbar(mean, place, xerr=spread, color=INK, linewidth=1.2, capsize=3)
    text = f"{mean:.1%}" if percent else f"{mean:.4g}"
    if len(numbers) > 1:
        text += f" ± {spread * 100:.1f}" if percent else f" ± {spread:.2g}"
    axes.annotate(
        text,
        (mean + spread, place),
        xytext=(6, 0),
        textcoords="offset points",
        **text_style(va="center", weight="bold"),
    )
