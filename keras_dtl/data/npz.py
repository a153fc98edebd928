"""`npz:PATH:LABEL`: images that lie in one file of NumPy arrays."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_dtl.data.labelled import LabelledImages
from keras_dtl.data.npz_names import npz_splits
from keras_dtl.data.splits import stratified_split
from keras_dtl.files import open_regular, readable_name

_NO_WORDS = ("", "nan", "<na>")  # what programs write where a label is missing


def load_npz(
    path: str,
    split: str = "train",
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> LabelledImages:
    """Load the images of a `.npz` file, which `np.savez(PATH, x=images, person=labels)` writes.

    Arrays of a split test, such as `x_test` or `test_images`, are tested on (else those of a split
    validation); without them each class is split, always alike, in 80 % for training and 20 % for
    testing.

    Args:
        path: The file, and after a colon the array that tells the class, such as
            `faces.npz:person`, or those of images and of classes, as in `faces.npz:photos,person`;
            of arrays of a split, as in `faces.npz:train_person`, those of the other splits go
            with it. By default the names are any of
            `keras_dtl.data.npz_names.IMAGES` and `LABELS`. Images are whole
            numbers from 0 to 255, `(examples, height, width)` or `(examples, height, width,
            channels)`. Labels are whole numbers or strings of any values, `(examples,)` or
            `(examples, 1)`, or one-hot `(examples, classes)`.
        split: "train" or "test".
        size: `(height, width)` in pixels to resize to, or None.
        channels: 1 (grey) or 3 (RGB) to convert to, or None.

    Returns:
        `LabelledImages`, with the labels' values as class names, in sorted order.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, or lacks an array, or its arrays do not fit together.
    """
    return read_arrays(path).examples(split).convert(size, channels)


@dataclass(frozen=True)
class ImageArrays:
    """Images and labels as they lie in an archive.

    Args:
        names: Of the arrays of images and of labels, by split.
        arrays: The arrays themselves, likewise.
        values: All labels that occur, sorted.
        others: Names of further arrays in the file.
    """

    names: dict[str, tuple[str, str]]
    arrays: dict[str, tuple[np.ndarray, np.ndarray]]
    values: np.ndarray
    others: tuple[str, ...] = ()

    def examples(self, split: str) -> LabelledImages:
        """Return the images of a split.

        Args:
            split: "train" or "test".
        """
        tested = next((role for role in ("test", "validation") if role in self.arrays), None)
        images, labels = self.arrays[tested if tested and split == "test" else "train"]
        classes = tuple(str(value) for value in self.values)
        examples = LabelledImages(images, np.searchsorted(self.values, labels), classes)
        if tested is not None:
            return examples
        return examples.subset(stratified_split(examples.labels)[0 if split == "train" else 1])


def read_arrays(path: str) -> ImageArrays:
    """Read images and labels of all splits.

    Args:
        path: As for `load_npz`.

    Raises:
        FileNotFoundError, ValueError: As `load_npz`.
    """
    file, _, named = path.rpartition(":") if ".npz:" in path else (path, "", "")
    shown = readable_name(file)
    with open_archive(Path(file)) as arrays:
        present = list(arrays)
        names = npz_splits(present, named, shown)
        loaded = {
            role: (_images(arrays, x, shown), _labels(arrays, y, shown))
            for role, (x, y) in names.items()
        }
    for role, (images, labels) in loaded.items():
        if len(labels) != len(images):
            raise ValueError(
                f"{shown}: {names[role][1]!r} must hold one label for each image in "
                f"{names[role][0]!r}. Received: shapes {labels.shape} and {images.shape}."
            )
    values = np.unique(loaded["train"][1])
    for role, (_, labels) in loaded.items():
        if unknown := sorted(set(labels.tolist()) - set(values.tolist())):
            raise ValueError(
                f"{shown}: {names[role][1]!r} holds classes that {names['train'][1]!r} lacks: "
                f"{', '.join(map(str, unknown[:5]))}. Leave them out, or add images of them."
            )
    used = {name for pair in names.values() for name in pair}
    return ImageArrays(names, loaded, values, tuple(n for n in present if n not in used))


def read_array(arrays: np.lib.npyio.NpzFile, name: str, shown: str) -> np.ndarray:
    """Return one array of an archive.

    Args:
        arrays: The open archive.
        name: Of the array.
        shown: The file, for messages.

    Raises:
        ValueError: If it is damaged, or of objects.
    """
    try:
        return arrays[name]
    except Exception as error:  # whatever a damaged archive makes of its readers
        raise ValueError(
            f"{shown} cannot be read as a .npz file of numbers and strings: {name!r}: {error}"
        ) from error


def _images(arrays: np.lib.npyio.NpzFile, name: str, shown: str) -> np.ndarray:
    images = read_array(arrays, name, shown)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3, 4):
        raise ValueError(
            f"{shown}: {name!r} has the shape {images.shape}, channels first. Expected (examples, "
            "height, width, channels): save np.moveaxis(images, 1, -1)."
        )
    if images.dtype != np.uint8 and np.issubdtype(images.dtype, np.number):
        # Whole numbers in another type; 0..1 is left to be refused, with how to scale it.
        whole = images.size and images.min() >= 0 and 1 < images.max() <= 255
        if whole and (images == np.floor(images)).all():
            images = images.astype("uint8")
    try:
        return LabelledImages(images).images
    except ValueError as error:
        raise ValueError(f"{shown}: {name!r}: {error}") from error


def _labels(arrays: np.lib.npyio.NpzFile, name: str, shown: str) -> np.ndarray:
    """Return labels as `(examples,)` of whole numbers or strings."""
    labels = read_array(arrays, name, shown)
    if labels.dtype.kind == "S":  # as other languages write strings
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    elif labels.ndim == 2 and np.issubdtype(labels.dtype, np.number) and _is_one_hot(labels):
        labels = labels.argmax(1)
    if labels.ndim != 1:
        raise ValueError(
            f"{shown}: {name!r} must hold one label for each image. Received: shape {labels.shape}."
        )
    if labels.dtype.kind == "U" and (nameless := np.isin(np.char.lower(labels), _NO_WORDS)).any():
        raise ValueError(
            f"{shown}: {name!r} holds {nameless.sum()} label(s) that are no word, such as "
            f"{str(labels[nameless][0])!r}. Leave images without a class out."
        )
    if np.issubdtype(labels.dtype, np.floating):
        if not np.isfinite(labels).all() or (labels != np.floor(labels)).any():
            raise ValueError(
                f"{shown}: {name!r} holds {int((~np.isfinite(labels)).sum())} label(s) that are no "
                "number (NaN), or fractions. Leave images without a class out, and save whole "
                "numbers or strings."
            )
        labels = labels.astype("int64")
    if np.issubdtype(labels.dtype, np.signedinteger) and set(labels[labels < 1]) - {0}:
        _refuse_negative(labels, name, shown)
    return labels


def _refuse_negative(labels: np.ndarray, name: str, shown: str) -> None:
    if set(np.unique(labels).tolist()) == {-1, 1}:
        return  # as support vector machines count two classes
    raise ValueError(
        f"{shown}: {name!r} holds {int((labels < 0).sum())} label(s) below 0, as data sets mark "
        "images without a class. Leave these images out, or number the classes from 0."
    )


def _is_one_hot(labels: np.ndarray) -> bool:
    return bool(np.isin(labels, (0, 1)).all() and (labels.sum(1) == 1).all())


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """Be the context in which a file of arrays is open.

    Args:
        path: The `.npz` file.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is of another kind, or damaged.
    """
    shown = readable_name(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {shown}. Give npz:PATH.npz:LABELS.")
    with open_regular(path) as stream:  # NumPy would leave a file open that it cannot read
        try:
            file = np.load(stream)
        # Whatever a damaged archive or header makes of the readers of both.
        except Exception as error:
            raise ValueError(
                f"{shown} cannot be read as a .npz file of numbers and strings: {error}"
            ) from error
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError(
                f"{shown} holds one array. Expected a .npz file of images and of labels, which "
                "np.savez(PATH, x=images, y=labels) writes."
            )
        with file:
            yield file
