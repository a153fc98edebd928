"""How a training went."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from keras_dtl.evaluation.figures.appearance import (
    PAGE_WIDTH,
    add_legend,
    new_figure,
    series_color,
    style_axes,
    text_style,
)
from keras_dtl.page import ACCENT, printable

KINDS = ("loss", "accuracy", "learning_rate")
"""Quantities that share a panel, whatever they are about."""


def curves(history: Mapping, groups: Mapping | None = None, unit: str = "epoch") -> Figure:
    """Draw a training's history, one panel for each kind of quantity.

    Validation values (`val_*`) are dashed, in the colour of the training values. Values that are
    not finite leave a gap, and the legend says from where on; over `None`, where nothing was
    measured, lines go on.

    Args:
        history: Name to values, one a step of `unit`, as `fit(...).history` holds them; the
            lengths may differ.
        groups: Panel title to names, to choose panels. By default all losses share one, all
            accuracies another, all learning rates a third, and every other quantity has its own.
        unit: What the values were taken after: "epoch", "step" ...

    Raises:
        ValueError: For an empty history; KeyError for a name in `groups` that it lacks.
    """
    history = {name: _measurements(values) for name, values in history.items()}
    if not any(values.size for _, values in history.values()):
        raise ValueError("There are no curves to draw: the history is empty.")
    groups = groups or _group_by_kind(history)
    subjects = list(dict.fromkeys(_subject(name) for name in history))
    num_columns = min(2, len(groups))
    num_rows = -(-len(groups) // num_columns)
    figure = new_figure(PAGE_WIDTH * num_columns / 2, 2.7 * num_rows)
    panels = list(figure.subplots(num_rows, num_columns, squeeze=False).flat)
    for axes, (title, names) in zip(panels, groups.items(), strict=False):
        for name in names:
            color = series_color(subjects.index(_subject(name))) if len(names) > 1 else ACCENT
            _draw_curve(axes, name, *history[name], color)
        _finish_curves(axes, title, [history[name][1] for name in names], unit)
    for axes in panels[len(groups) :]:
        axes.remove()
    return figure


def _measurements(values):
    """Return when something was measured, counted from 1, and the numbers."""
    found = [(place, value) for place, value in enumerate(values, 1) if value is not None]
    places, numbers = zip(*found, strict=True) if found else ((), ())
    return np.array(places, int), np.array(numbers, np.float64)


def _group_by_kind(history):
    groups = {}
    for name in history:
        base = name.removeprefix("val_")
        kind = next((kind for kind in KINDS if kind in base), base)
        groups.setdefault(kind, []).append(name)
    return groups


def _subject(name):
    """What a quantity is about: "domain" for val_domain_loss and for domain_accuracy."""
    name = name.removeprefix("val_")
    for kind in KINDS:
        name = name.removesuffix(f"_{kind}")
    return name


def _draw_curve(axes, name, places, values, color):
    broken = ~np.isfinite(values)
    label = printable(name).replace("_", " ")
    if broken.any():
        label += f" (not finite at {places[broken.argmax()]})"
    # A line needs two neighbours; a value without would not be seen.
    marked = broken.any() or len(values) == 1 or len(values) < places.max(initial=0)
    axes.plot(
        places,
        np.where(broken, np.nan, values),
        color=color,
        label=label,
        linewidth=1.8,
        linestyle="--" if name.startswith("val_") else "-",
        marker="o" if marked else None,
        markersize=3.5,
    )


def _finish_curves(axes, title, values, unit):
    style_axes(axes, grid="y")
    label = printable(title).replace("_", " ")
    if "accuracy" in label and _are_fractions(np.concatenate(values)):
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
        label += " (%)"
    axes.set_ylabel(label, **text_style())
    axes.set_xlabel(unit, **text_style())
    axes.margins(x=0.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    if max(map(len, values)) == 1:
        _frame_one_value(axes, np.concatenate(values))
    if len(values) > 1 or not np.isfinite(values[0]).all():
        add_legend(axes, *axes.get_legend_handles_labels(), ncols=2)


def _frame_one_value(axes, values):
    """Show values that nothing goes before or after beside 0, not on axes of thousandths."""
    axes.set_xlim(0, 2)
    axes.set_xticks([1])
    known = values[np.isfinite(values)]
    if known.size and known.min() >= 0:
        axes.set_ylim(0, 1.15 * known.max() or 1)


def _are_fractions(values):
    values = values[np.isfinite(values)]
    return values.size > 0 and values.min() >= 0 and values.max() <= 1
