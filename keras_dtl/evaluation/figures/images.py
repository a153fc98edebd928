"""Images in rows."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from keras_dtl.evaluation.figures.appearance import (
    FONT_SIZE,
    PAGE_WIDTH,
    check_length,
    new_figure,
    text_style,
)
from keras_dtl.page import MUTED, WARNING, printable

LEGEND_COLUMNS = 6


def image_grid(
    images: np.ndarray,
    titles: Sequence[str] | None = None,
    columns: int = 8,
    highlighted: Sequence[bool] | None = None,
    largest: float = 2.4,
) -> Figure:
    """Lay images out in rows.

    Args:
        images: uint8 images of one size, `(n, height, width)` or `(n, height, width, channels)`
            with 1, 3 or 4 channels, values 0..255.
        titles: One short text an image, drawn above it, or None.
        columns: Images in a row.
        highlighted: `(n,)` booleans: these get a frame, such as those classified wrongly.
        largest: Width of an image, in inches, at most.

    Raises:
        ValueError: For images of another type or shape, or lists of another length.
    """
    images = _check_images(images)
    check_length("titles", titles, len(images))
    check_length("highlighted", highlighted, len(images))
    if columns < 1:
        raise ValueError(f"A row needs at least one image, got columns={columns}.")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    cell = min(PAGE_WIDTH / columns, largest)  # inches, as all below
    width, height = 0.94 * cell, 0.94 * cell * images.shape[1] / images.shape[2]
    line = 0.24 if titles is not None else 0.06 * cell
    figure = new_figure(cell * columns, (height + line) * rows)
    figure.set_layout_engine("none")  # the one axes fills it
    axes = figure.add_axes((0, 0, 1, 1))
    for index, image in enumerate(images):
        left = index % columns * cell + 0.03 * cell
        top = index // columns * (height + line) + line
        box = (left, left + width, top + height, top)
        axes.imshow(image, extent=box, cmap="gray", vmin=0, vmax=255)
        if titles is not None:
            _write_title(axes, left + width / 2, top - 0.03, titles[index])
        if highlighted is not None and highlighted[index]:
            _draw_frame(axes, box)
    axes.set(xlim=(0, cell * columns), ylim=((height + line) * rows, 0), aspect="auto")
    axes.set_axis_off()
    return figure


def color_legend(names: Sequence[str], colors: np.ndarray) -> Figure:
    """Draw the colour of each class beside its name.

    Args:
        names: Class names.
        colors: uint8 array `(classes, 3)`, red, green and blue in 0..255.

    Raises:
        ValueError: When there is not one colour a name.
    """
    check_length("colors", colors, len(names))
    columns = min(len(names), LEGEND_COLUMNS)
    rows = -(-len(names) // columns)
    figure = new_figure(PAGE_WIDTH, 0.28 * rows)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    for index, (name, color) in enumerate(zip(names, np.asarray(colors) / 255, strict=True)):
        row, column = divmod(index, columns)
        box = Rectangle((column, row + 0.15), 0.12, 0.7, facecolor=color, edgecolor=MUTED)
        axes.add_patch(box)
        style = text_style(ha="left", va="center")
        axes.text(column + 0.16, row + 0.5, printable(name), **style)
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    axes.set_axis_off()
    return figure


def _write_title(axes, x, y, title):
    style = text_style(ha="center", va="bottom", fontsize=FONT_SIZE - 0.5)
    axes.text(x, y, printable(title), **style)


def _check_images(images):
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    colored = images.ndim == 4 and images.shape[-1] in (3, 4)
    if images.dtype != np.uint8 or not (images.ndim == 3 or colored) or not images.size:
        raise ValueError(
            "Images must be uint8 of shape (n, height, width) or (n, height, width, 1, 3 or 4), "
            f"at least one, got {images.dtype} of shape {images.shape}. For images in 0..1 pass "
            "`(images * 255).round().astype('uint8')`."
        )
    return images


def _draw_frame(axes, box):
    left, right, bottom, top = box
    axes.plot(
        [left, right, right, left, left],
        [bottom, bottom, top, top, bottom],
        color=WARNING,
        linewidth=2,
        solid_joinstyle="miter",
        zorder=3,
    )
