"""Features of several domains in the plane."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from keras_dtl.evaluation.figures.appearance import (
    FONT_SIZE,
    PAGE_WIDTH,
    add_legend,
    check_length,
    new_figure,
    series_color,
    style_axes,
    text_style,
)
from keras_dtl.page import INK, MUTED, SURFACE, printable

DOMAIN_MARKERS = ("o", "x", "^", "s")


def embedding_scatter(
    panels: Mapping, labels: np.ndarray, domains: Sequence[str], classes: Sequence[str]
) -> Figure:
    """Draw the same samples in one or more layouts, such as before and after adaptation.

    Colour and name tell the class, the marker tells the domain. A name stands at the median of
    its class in the first domain, so it shows where the source's classes are.

    Args:
        panels: Panel title to coordinates `(samples, 2)`, as `tsne` gives.
        labels: Class indices, `(samples,)`; -1 (grey) where the class is not known.
        domains: Domain names, `(samples,)`, at most four different ones.
        classes: Class names, for the labels.

    Raises:
        ValueError: When lengths disagree, a label has no class, or there are too many domains.
    """
    panels = {title: np.asarray(points, np.float64) for title, points in panels.items()}
    labels, domains = np.asarray(labels), np.asarray(domains)
    _check_embedding(panels, labels, domains, classes)
    figure = new_figure(PAGE_WIDTH, PAGE_WIDTH / max(2, len(panels)) + 0.3)
    names = list(dict.fromkeys(domains.tolist()))
    for axes, (title, points) in zip(
        figure.subplots(1, len(panels), squeeze=False).flat, panels.items(), strict=True
    ):
        for name, marker in zip(names, DOMAIN_MARKERS, strict=False):
            _draw_points(axes, points[domains == name], labels[domains == name], marker)
        _name_classes(axes, points, labels, domains == names[0], classes)
        _finish_embedding(axes, title)
    handles = [_domain_handle(marker) for marker in DOMAIN_MARKERS[: len(names)]]
    add_legend(figure.axes[0], handles, [printable(name) for name in names], ncols=len(names))
    return figure


def _check_embedding(panels, labels, domains, classes):
    if not panels or labels.ndim != 1 or not len(labels):
        raise ValueError(
            "Expected at least one panel and labels of shape (samples,), got "
            f"{len(panels)} panels and labels of shape {labels.shape}."
        )
    for title, points in panels.items():
        if points.shape != (len(labels), 2) or not np.isfinite(points).all():
            raise ValueError(
                f"Panel {title!r} must hold one finite (x, y) for each of {len(labels)} labels, "
                f"got shape {points.shape} with {np.isnan(points).sum()} NaN."
            )
    check_length("domains", domains, len(labels))
    if not np.issubdtype(labels.dtype, np.integer) or not -1 <= min(labels) <= max(labels) < len(
        classes
    ):
        raise ValueError(
            f"Labels must be integers in -1..{len(classes) - 1}, got {labels.dtype} from "
            f"{labels.min()} to {labels.max()}."
        )
    if len(np.unique(domains)) > len(DOMAIN_MARKERS):
        raise ValueError(f"At most {len(DOMAIN_MARKERS)} domains can be told apart in one figure.")


def _color_of_class(label):
    return MUTED if label < 0 else series_color(label)


def _draw_points(axes, points, labels, marker):
    for label in np.unique(labels):
        axes.scatter(
            *points[labels == label].T,
            s=10 if marker == "o" else 14,
            marker=marker,
            color=_color_of_class(label),
            linewidths=0.9 if marker == "x" else 0,
            alpha=0.75,
        )


def _name_classes(axes, points, labels, in_first_domain, classes):
    for label in np.unique(labels[labels >= 0]):
        chosen = (labels == label) & in_first_domain
        chosen = chosen if chosen.any() else labels == label
        axes.text(
            *np.median(points[chosen], axis=0),
            printable(classes[label]),
            bbox={
                "boxstyle": "round,pad=0.2",
                "facecolor": SURFACE,
                "edgecolor": _color_of_class(label),
                "alpha": 0.85,
            },
            **text_style(ha="center", va="center", weight="bold"),
        )


def _finish_embedding(axes, title):
    style_axes(axes)
    axes.spines[:].set_visible(False)
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel(printable(title), **text_style(fontsize=FONT_SIZE + 1))


def _domain_handle(marker):
    return Line2D([], [], linestyle="none", marker=marker, color=INK, markersize=4.5)
