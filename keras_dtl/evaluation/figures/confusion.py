"""Which classes are taken for which."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from keras_dtl.evaluation.figures.appearance import (
    FONT_SIZE,
    PAGE_WIDTH,
    new_figure,
    style_axes,
    text_style,
)
from keras_dtl.page import ACCENT, MUTED, SURFACE, printable

# Beyond this many classes the cells of a confusion matrix are too small for a number.
MAX_CLASSES_WITH_COUNTS = 31
# Of more classes than this only some are named.
MAX_NAMES = 100


def confusion_matrix(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw how samples of each true class (row) were classified (column).

    The colour is the share of the row, the number the count; empty cells have none. Beyond 31
    classes cells are pixels without counts, beyond 100 every so many classes is named.

    Args:
        matrix: Counts, `(classes, classes)`, as `ClassificationScores.confusion`.
        classes: Class names, in the matrix' order.

    Raises:
        ValueError: When the matrix is not square over the classes.
    """
    matrix = np.asarray(matrix)
    count = len(classes)
    if matrix.shape != (count, count):
        raise ValueError(f"Expected a matrix of shape ({count}, {count}), got {matrix.shape}.")
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    size = min(PAGE_WIDTH, 3.0 + 0.38 * count)
    figure = new_figure(size, size * 0.9)
    axes = figure.subplots()
    # Clear to blue instead of white to blue: the page shows through, whether light or dark.
    ramp = LinearSegmentedColormap.from_list("share", [to_rgba(ACCENT, 0), to_rgba(ACCENT, 1)])
    mesh = _draw_shares(axes, shares, {"cmap": ramp, "vmin": 0, "vmax": 1})
    axes.set_aspect("equal")
    _finish_confusion(axes, [printable(name) for name in classes])
    if count <= MAX_CLASSES_WITH_COUNTS:
        _write_counts(axes, matrix)
    bar = figure.colorbar(mesh, ax=axes, shrink=0.7, format=PercentFormatter(1, symbol=""))
    bar.set_label("share of true class (%)", **text_style())
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=MUTED, labelsize=FONT_SIZE - 1, length=0)
    return figure


def _draw_shares(axes, shares, colors):
    count = len(shares)
    if count > MAX_CLASSES_WITH_COUNTS:  # a path for each of a million cells takes 200 MB
        place = {"interpolation": "none", "extent": (0, count, count, 0)}
        return axes.imshow(shares, **colors, **place)
    mesh = axes.pcolormesh(shares, **colors, edgecolors=SURFACE, linewidth=1)
    axes.invert_yaxis()
    return mesh


def _finish_confusion(axes, names):
    style_axes(axes)
    axes.spines[:].set_visible(False)
    upright = max(map(len, names)) > 3
    size = FONT_SIZE if len(names) <= 12 else FONT_SIZE - 1.5
    style = text_style(color=MUTED, fontsize=size)
    named = slice(None, None, -(-len(names) // MAX_NAMES))
    centres = np.arange(len(names))[named] + 0.5
    axes.set_xticks(centres, names[named], rotation=90 if upright else 0, **style)
    axes.set_yticks(centres, names[named], **style)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted class", **text_style())
    axes.set_ylabel("true class", **text_style())


def _write_counts(axes, matrix):
    size = FONT_SIZE if len(matrix) <= 12 else FONT_SIZE - 2.5
    for row, column in np.argwhere(matrix > 0):
        place = (column + 0.5, row + 0.5)
        style = text_style(fontsize=size, ha="center", va="center")
        axes.text(*place, f"{matrix[row, column]:g}", **style)
