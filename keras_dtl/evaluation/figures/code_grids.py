"""Pictures of two codes: every content with every style, and walks from one image to another.

Each function returns a uint8 picture `(height, width, 3)`.
"""

from collections.abc import Callable, Sequence

import numpy as np

from keras_dtl.evaluation.features import as_rgb
from keras_dtl.evaluation.prediction import predict


def grid_picture(
    images: np.ndarray, rows: np.ndarray | None = None, columns: np.ndarray | None = None
) -> np.ndarray:
    """Join images into one picture, with or without margins.

    Args:
        images: uint8 `(rows, columns, height, width, channels)`, 1, 3 or 4 channels.
        rows, columns: Real images `(n, height, width, channels)` for the margins at the left and
            above, or None for none.
    """
    lines = [np.concatenate(list(as_rgb(line)), 1) for line in images]
    if rows is not None:
        lines = [
            np.concatenate([as_rgb(row[None])[0], line], 1)
            for row, line in zip(rows, lines, strict=True)
        ]
    if columns is not None:
        blank = np.full_like(as_rgb(columns[:1]), 255)
        top = np.concatenate(list(np.concatenate([blank, as_rgb(columns)])), 1)
        lines.insert(0, top)
    return np.concatenate(lines)


def stack_rows(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Join rows of images of one size into one picture; channels may differ between rows.

    Args:
        rows: uint8 arrays `(n, height, width, channels)`.
    """
    return np.concatenate([np.concatenate(list(as_rgb(row)), axis=1) for row in rows])


def every_pair(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's entry beside each column's: the row's is constant along a row.

    Args:
        rows, columns: Arrays `(rows, ...)` and `(columns, ...)`: codes, or images.

    Returns:
        Two arrays of `rows * columns` entries, row after row.
    """
    repeats = (len(rows),) + (1,) * (columns.ndim - 1)
    return np.repeat(rows, len(columns), 0), np.tile(columns, repeats)


def swap_grid(
    exchange: Callable, style_images: np.ndarray, content_images: np.ndarray
) -> np.ndarray:
    """Return the grid of every style (its row) with every content (its column).

    Args:
        exchange: Keras model, or function, from uint8 `[content images, style images]` to images.
        style_images, content_images: uint8 `(n, height, width, channels)`, shown on the margins.
    """
    style, content = every_pair(style_images, content_images)
    images = predict(exchange, [content, style])
    grid = images.reshape(len(style_images), len(content_images), *images.shape[1:])
    return grid_picture(grid, style_images, content_images)


def code_grid(
    decode: Callable, contents: np.ndarray, styles: np.ndarray, margin: np.ndarray | None = None
) -> np.ndarray:
    """Return the grid of every content (its row) in every style or view (its column).

    Args:
        decode: Keras model, or function, from `[content, style]` to uint8 images.
        contents, styles: Codes `(n, numbers)`.
        margin: Real images `(n, height, width, channels)` for the left, one a content.
    """
    images = predict(decode, list(every_pair(contents, styles)))
    return grid_picture(images.reshape(len(contents), len(styles), *images.shape[1:]), margin)


def walks(
    decode: Callable, contents: np.ndarray, styles: np.ndarray, steps: int = 10
) -> np.ndarray:
    """Return a picture of two walks between two images, in rows: along the style, the content.

    Args:
        decode: Keras model, or function, from `[content, style]` to uint8 images.
        contents, styles: Codes of both images, `(2, numbers)`.
        steps: Images in a row.
    """
    shares = np.linspace(0, 1, steps)[:, None].astype("float32")
    walk, fixed = (
        [(1 - along) * codes[:1] + along * codes[1:] for codes in (contents, styles)]
        for along in (shares, 0 * shares)
    )
    rows = [predict(decode, [fixed[0], walk[1]]), predict(decode, [walk[0], fixed[1]])]
    return grid_picture(np.stack(rows))
