"""Colours and axes that all figures share, on light pages and on dark ones."""

import re
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_dtl.page import GRID, INK, MUTED, SERIES, SURFACE, css_variable

PAGE_WIDTH = 8.6  # inches; a report shows 96 pixels an inch
FONT_SIZE = 9  # points


def series_color(index: int) -> str:
    """Return the colour of a series or class, `#rrggbb`; they repeat after the tenth.

    Args:
        index: Its number, from 0 on.
    """
    return SERIES[index % len(SERIES)]


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure that no GUI and no global state knows of.

    Args:
        width, height: In inches.
    """
    return Figure(figsize=(width, height), layout="constrained", facecolor=SURFACE)


def style_axes(axes: Axes, grid: str | None = None) -> None:
    """Draw axes with two quiet spines.

    Args:
        axes: Those of matplotlib.
        grid: `"x"` or `"y"`, which a grid marks places of, or None.
    """
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelsize=FONT_SIZE, length=3)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=INK, fontsize=FONT_SIZE)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)


def text_style(**changes) -> dict:
    """Return matplotlib's text settings; a dollar sign in a class name is no formula."""
    return {"color": INK, "fontsize": FONT_SIZE, "parse_math": False} | changes


def add_legend(axes: Axes, handles: Sequence, labels: Sequence[str], ncols: int) -> None:
    """Put the legend above the axes, where it hides nothing.

    Args:
        axes: Those of matplotlib.
        handles: What is drawn beside each label.
        labels: The words.
        ncols: How many stand in a row.
    """
    legend = axes.legend(
        handles,
        [""] * len(handles),
        ncols=ncols,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        frameon=False,
        columnspacing=1.5,
        handletextpad=0.6,
        handlelength=1.6,
    )
    # Set afterwards: matplotlib would leave out a label that starts with an underscore.
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set(text=label, **text_style(fontsize=FONT_SIZE - 1))


def check_length(name: str, values: Sequence | None, count: int) -> None:
    """Refuse a list of another length than what it belongs to.

    Args:
        name: Of the argument.
        values: The list, or None.
        count: How many entries it must have.

    Raises:
        ValueError: When it has another number.
    """
    if values is not None and len(values) != count:
        raise ValueError(f"`{name}` must hold one entry for each of {count}, got {len(values)}.")


def theme_svg(svg: str) -> str:
    """Let the colours of an SVG text follow the page, by CSS variables.

    Args:
        svg: The text.
    """

    def variable_of(match):
        known = match[2] in (SURFACE, INK, MUTED, GRID, *SERIES)
        return f"{match[1]}var({css_variable(match[2])})" if known else match[0]

    return re.sub(r"((?:fill|stroke): ?)(#[0-9a-f]{6})\b", variable_of, svg)
