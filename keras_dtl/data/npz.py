"""`npz:PATH:LABEL`: images that lie in one file of NumPy arrays."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_dtl.data.labelled import LabelledImages
from keras_dtl.data.splits import stratified_split
from keras_dtl.files import open_regular
from keras_dtl.images import readable_name

IMAGES, LABELS = "x", "y"
"""Names of the arrays of images, and of labels where none is named."""


def load_npz(
    path: str,
    split: str = "train",
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> LabelledImages:
    """Load the images of a `.npz` file, which `np.savez(PATH, x=images, person=labels)` writes.

    Each class is split, always alike, in 80 % for training and 20 % for testing.

    Args:
        path: The file, and after a colon the array that tells the class, such as
            `faces.npz:person`; without a name it is `y`. Images lie in `x`: uint8
            `(examples, height, width)` or `(examples, height, width, channels)`. Labels are
            whole numbers or strings, of any values.
        split: "train" or "test".
        size: `(height, width)` in pixels to resize to, or None.
        channels: 1 (grey) or 3 (RGB) to convert to, or None.

    Returns:
        `LabelledImages`, with the labels' values as class names, in sorted order.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, or lacks an array, or its arrays do not fit together.
    """
    file, _, name = path.rpartition(":") if ".npz:" in path else (path, "", LABELS)
    images, labels = _read(Path(file), (IMAGES, name))
    if images.ndim == 3:
        images = images[..., None]
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"{readable_name(file)}: {name!r} must hold one label for each image in {IMAGES!r}. "
            f"Received: shapes {labels.shape} and {images.shape}."
        )
    values, labels = np.unique(labels, return_inverse=True)
    chosen = stratified_split(labels)[0 if split == "train" else 1]
    classes = tuple(str(value) for value in values)
    return LabelledImages(images, labels, classes).subset(chosen).convert(size, channels)


def _read(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Return the arrays of these names."""
    shown = readable_name(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {shown}. Give npz:PATH.npz:LABEL.")
    try:
        # NumPy would leave a file open that it cannot read.
        with open_regular(path) as stream, np.load(stream) as file:
            arrays = {name: file[name] for name in names if name in file}
            held = ", ".join(file)
    # Whatever a damaged archive or header makes of the readers of both.
    except Exception as error:
        raise ValueError(
            f"{shown} cannot be read as a .npz file of numbers and strings: {error}"
        ) from error
    for name in names:
        if name not in arrays:
            raise ValueError(
                f"{shown} has no array {name!r}. It holds {held}. Name the array of labels after "
                "a colon: npz:PATH.npz:LABEL."
            )
    return [arrays[name] for name in names]
