"""Colours and axes that all figures share, on light pages and on dark ones."""

import re

from matplotlib.figure import Figure

PAGE_WIDTH = 8.6  # inches; a report shows 96 pixels an inch
FONT_SIZE = 9  # points

SURFACE = "#ffffff"
INK = "#1b2126"
MUTED = "#5f6b75"
GRID = "#e4e8eb"
# Petroff 2021, "Accessible color sequences for data visualization": told apart by colour-blind
# eyes. Reordered, so that the few lines of a plot get the strong ones.
SERIES = (
    "#3f90da",
    "#e76300",
    "#832db6",
    "#ffa90e",
    "#bd1f01",
    "#92dadd",
    "#a96b59",
    "#717581",
    "#b9ac70",
    "#94a4a2",
)
ACCENT, WARNING = SERIES[0], SERIES[4]

# What each colour becomes on a dark page; those left out read on both.
DARK = {
    SURFACE: "#171a1e",
    INK: "#e8eaed",
    MUTED: "#a0a8b0",
    GRID: "#30363c",
    "#832db6": "#b277dd",
    "#bd1f01": "#f0634a",
    "#a96b59": "#c98a77",
    "#717581": "#8d93a1",
}


def series_color(index):
    """Return the colour of the `index`-th series or class; they repeat after the tenth."""
    return SERIES[index % len(SERIES)]


def new_figure(width, height):
    """Make an empty figure, in inches, that no GUI and no global state knows of."""
    return Figure(figsize=(width, height), layout="constrained", facecolor=SURFACE)


def style_axes(axes, grid=None):
    """Draw axes with two quiet spines, and a grid along `grid` ("x", "y" or None)."""
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelsize=FONT_SIZE, length=3)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=INK, fontsize=FONT_SIZE)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)


def text_style(**changes):
    """Return matplotlib's text settings; a dollar sign in a class name is no formula."""
    return {"color": INK, "fontsize": FONT_SIZE, "parse_math": False} | changes


def printable(value):
    """Return `str(value)`, with a question mark for bytes of a file name that are no UTF-8."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def add_legend(axes, handles, labels, ncols):
    """Put the legend above the axes, where it hides nothing."""
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


def check_length(name, values, count):
    if values is not None and len(values) != count:
        raise ValueError(f"`{name}` must hold one entry for each of {count}, got {len(values)}.")


def style_sheet_colors(dark=False):
    """Return CSS declarations of one variable a colour, for `theme_svg`."""
    colors = dict.fromkeys((SURFACE, INK, MUTED, GRID, *SERIES))
    return " ".join(f"{css_variable(c)}: {DARK.get(c, c) if dark else c};" for c in colors)


def theme_svg(svg):
    """Let the colours of an SVG text follow the page, by CSS variables."""

    def themed(match):
        known = match[2] in (SURFACE, INK, MUTED, GRID, *SERIES)
        return f"{match[1]}var({css_variable(match[2])})" if known else match[0]

    return re.sub(r"((?:fill|stroke): ?)(#[0-9a-f]{6})\b", themed, svg)


def css_variable(color):
    """Return the name of the CSS variable that holds a colour."""
    return f"--color-{color[1:]}"
