"""Data sets by name: one string says everything, in every recipe and on the command line."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_dtl.data.digits import blended_digits, plain_digits
from keras_dtl.data.folder import load_folder
from keras_dtl.data.labelled import LabelledImages
from keras_dtl.data.layouts import sided_folders
from keras_dtl.data.names import divide_name
from keras_dtl.data.npz import load_npz
from keras_dtl.files import FilePath

SPLITS = ("train", "test")

# NAME -> function of the split.
EMBEDDED = {"digits": plain_digits, "digits_m": blended_digits}

# PREFIX of "PREFIX:PATH" -> function of the path, the split, the image size and the channels.
FOLDERS = {"folder": load_folder, "npz": load_npz}


def load(
    name: str,
    split: str = "train",
    image_size: int | Sequence[int] | None = None,
    channels: int | None = None,
    data_dir: FilePath | None = None,
    manual_dir: FilePath | None = None,
    side: str | None = None,
) -> LabelledImages:
    """Load a data set by name.

    Splits are fixed: no seed of a training ever moves an image from "test" to "train".

    Args:
        name: `digits` or `digits_m` (embedded, no download), `folder:PATH` (a folder of images,
            see `load_folder`), `npz:PATH.npz:LABEL` (see `load_npz`), or the name of any TFDS
            image classification data set, such as `mnist`, `usps`, `mnist_m`, `cifar10` or
            `name/config:version`. Of a data set of two domains, such as `cycle_gan/horse2zebra`
            or a folder of `trainA trainB testA testB`, `NAME/A` and `NAME/B` are one each.
        split: "train" or "test".
        image_size: Side or `(height, width)` to resize to, in pixels. By default the data set's
            own size, which must then be the same for all of its images.
        channels: 1 (grey) or 3 (RGB) to convert to, or 4 (with alpha) of a folder; by default the
            data set's own.
        data_dir: Where TFDS keeps prepared data sets. By default TFDS_DATA_DIR, or TFDS's default.
        manual_dir: Where files lie that TFDS cannot download by itself.
        side: "a" or "b": which domain of such a data set to take where `name` does not say so.

    Returns:
        The data set's images, labels and class names.

    Raises:
        ValueError: If the name, split, size or data is not usable; the message says how to
            mend it.
        FileNotFoundError: If files are missing; the message says which and where to put them.
        OSError: If files cannot be read or written.
    """
    _check_request(name, split, channels)
    size = _as_size(image_size)
    if name in EMBEDDED:
        return EMBEDDED[name](split).convert(size, channels)
    prefix, path = divide_name(name)
    if prefix in FOLDERS:
        path = sided_path(path, side) if prefix == "folder" else path
        return FOLDERS[prefix](path, split, size, channels)
    return _load_from_tfds(name, split, size, channels, data_dir, manual_dir, side)


def sided_path(path: str, side: str | None) -> str:
    """Return the path of one domain of a folder of two, or the path itself.

    Args:
        path: The folder.
        side: "a", "b" or None.
    """
    if side and Path(path).is_dir() and sided_folders(path):
        return f"{path}/{side.upper()}"
    return path


def accepted_names() -> str:
    """Describe in one line the names that `load` takes."""
    folders = (f"{prefix}:PATH" for prefix in FOLDERS)
    return ", ".join((*EMBEDDED, *folders)) + ", or any TFDS image classification data set"


def _load_from_tfds(name: str, *request: Any) -> LabelledImages:
    # Imported late: TFDS takes a second, which digits and folders need not pay.
    from keras_dtl.data.tfds_source import load_tfds

    with _hints_for(name):
        return load_tfds(name, *request)


def named_lines(name: str, data_dir: FilePath | None = None) -> list[str]:
    """Return what is known of a data set of TFDS without downloading it, a line each.

    Args:
        name, data_dir: As for `load`.

    Raises:
        ValueError: As `load`.
    """
    from keras_dtl.data.tfds_source import tfds_lines

    with _hints_for(name):
        return tfds_lines(name, data_dir)


@contextlib.contextmanager
def _hints_for(name: str) -> Iterator[None]:
    """Say what may have been meant by a name that TFDS does not know."""
    from keras_dtl.data.tfds_source import UnknownDataSetError, tfds_names

    try:
        yield
    except UnknownDataSetError as error:
        hint = _hint(name, (*EMBEDDED, *tfds_names()))
        raise ValueError(
            f"Unknown data set {name!r}.{hint} Accepted: {accepted_names()}."
        ) from error


def _hint(name: str, known: Iterable[str]) -> str:
    if name and Path(name).exists():
        return f" Did you mean folder:{name}?"
    close = difflib.get_close_matches(name, known)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def _check_request(name: Any, split: str, channels: int | None) -> None:
    if not isinstance(name, str):
        raise ValueError(
            "A data set has a name: digits, folder:PATH, npz:PATH, or one of TFDS. Received: "
            f"{type(name).__name__}. Of arrays keras_dtl.data.LabelledImages(images, labels, "
            "classes) makes one."
        )
    if split not in SPLITS:
        raise ValueError(f"Received split={split!r}. Expected one of {', '.join(SPLITS)}.")
    if channels not in (None, 1, 3, 4):
        raise ValueError(
            f"Received channels={channels!r}. Expected 1 (grey), 3 (RGB), 4 (RGB with alpha, of "
            "folders alone) or None."
        )


def _as_size(image_size: int | Sequence[int] | None) -> tuple[int, int] | None:
    """Return `(height, width)` or None."""
    if image_size is None:
        return None
    size = tuple(image_size) if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    if len(size) != 2 or not all(isinstance(side, int) and side >= 1 for side in size):
        raise ValueError(
            f"Received image_size={image_size!r}. Expected a side in pixels or (height, width)."
        )
    return size
