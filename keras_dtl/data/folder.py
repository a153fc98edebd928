"""`folder:PATH`: a user's own images, with one sub-folder a class."""

import logging
import os
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from keras_dtl.data.labelled import LabelledImages
from keras_dtl.data.splits import stratified_split
from keras_dtl.data.storage import MEMORY_LIMIT, stack_images
from keras_dtl.files import FilePath
from keras_dtl.images import ImageError, find_images, read_image, readable_name, resize_image

# Folder names that stand for a split; the first that exists is taken.
SPLIT_FOLDERS = {"train": ("train",), "test": ("test", "validation", "val")}
CHUNK = 1024  # images read ahead, at most

logger = logging.getLogger("keras_dtl")


def load_folder(
    path: FilePath,
    split: str = "train",
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> LabelledImages:
    """Load the images of a folder, in any format and size that `keras_dtl.images` reads.

    The folder takes one of three forms:

    - `PATH/train/CLASS/image.jpg` and `PATH/test/CLASS/image.jpg`: split by the user.
    - `PATH/CLASS/image.jpg`: each class is split, always alike, in 80 % for training and 20 % for
      testing.
    - `PATH/image.jpg`: unlabelled images, all for training.

    Classes are sorted by name. Images may lie in further folders below their class. Files that
    cannot be read are left out, logged, and listed in the result's `skipped`.

    Args:
        path: The folder.
        split: "train" or "test".
        size: `(height, width)` in pixels to resize to; None if all images have one size already.
        channels: 1 (grey), 3 (RGB, the default) or 4 (RGB with alpha).
        memory_limit: Bytes of decoded images to hold in memory; more go to a temporary file.

    Returns:
        `LabelledImages`, unlabelled for the third form.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
        ValueError: If it holds no readable image, or images of several sizes and `size` is None.
    """
    root = Path(path)
    files, labels, classes = _split_files(root, split)
    if not files:
        raise ValueError(
            f"{readable_name(root)}: no image found for the split {split!r}. "
            f"Expected {_EXPECTED} with files that end in .jpg, .png or another image suffix."
        )
    readable, skipped = [], []  # positions in files; (path, reason)
    images = stack_images(
        _read_all(files, size, channels or 3, readable, skipped), len(files), memory_limit
    )
    _report(root, skipped, len(files))
    labels = None if labels is None else labels[readable]
    return LabelledImages(images, labels, classes, tuple(skipped))


_EXPECTED = "train/CLASS/ and test/CLASS/ folders, CLASS/ folders, or images without labels,"


def has_test_split(path: FilePath) -> bool:
    """Return whether a folder has images for testing: a split, or classes that can be split.

    Args:
        path: The folder.
    """
    folders = _sub_folders(Path(path))
    if _is_split({name.lower() for name in folders}):
        return len(folders) > 1
    return _class_files(Path(path), folders)[1] is not None


def _split_files(root: Path, split: str) -> tuple[list[Path], np.ndarray | None, tuple[str, ...]]:
    """Return the image files of a split, their labels or None, and the class names."""
    folders = _sub_folders(root)
    split_folders = {name.lower(): folder for name, folder in folders.items()}
    if _is_split(split_folders):
        return _given_split(root, split_folders, split)
    files, labels, classes = _class_files(root, folders)
    if labels is not None:
        train, test = stratified_split(labels)
        chosen = train if split == "train" else test
        return [files[index] for index in chosen], labels[chosen], classes
    if split == "test" and files:
        raise ValueError(
            f"{readable_name(root)}: images without class folders are all for training. "
            "For testing, sort them into CLASS/ folders, or into train/CLASS/ and test/CLASS/."
        )
    return files, labels, classes


def _is_split(folders: Collection[str]) -> bool:
    names = {name for names in SPLIT_FOLDERS.values() for name in names}
    return "train" in folders and names.issuperset(folders)


def _given_split(
    root: Path, folders: dict[str, Path], split: str
) -> tuple[list[Path], np.ndarray | None, tuple[str, ...]]:
    chosen = next((folders[name] for name in SPLIT_FOLDERS[split] if name in folders), None)
    if chosen is None:
        raise ValueError(
            f"{readable_name(root)}: there is a folder train but none called test. Add "
            "test/CLASS/, or move the classes up beside each other to have 20 % of each "
            "split off."
        )
    classes = sorted(_sub_folders(folders["train"]))
    class_folders = _sub_folders(chosen)
    unknown = sorted(set(class_folders).difference(classes))
    if unknown:
        raise ValueError(
            f"{readable_name(chosen)} holds classes that train/ lacks: {', '.join(unknown)}. "
            "Remove them, or add images of them to train/."
        )
    return _class_files(chosen, class_folders, classes)


def _class_files(
    folder: Path, class_folders: dict[str, Path], classes: Sequence[str] | None = None
) -> tuple[list[Path], np.ndarray | None, tuple[str, ...]]:
    """List the images of class folders; without any in them, those of `folder` itself."""
    classes = tuple(sorted(class_folders) if classes is None else classes)
    files, labels, shown = [], [], readable_name(folder)
    for label, name in enumerate(classes):
        found = find_images(class_folders[name]) if name in class_folders else []
        if not found:
            logger.warning("%s: no image of the class %s.", shown, name)
        files += found
        labels += [label] * len(found)
    loose = find_images(folder, recursive=False)
    if not files:
        return loose, None, ()
    if loose:
        logger.warning("%s: left out %d image(s) beside the class folders.", shown, len(loose))
    return files, np.array(labels, "int32"), classes


def _sub_folders(folder: Path) -> dict[str, Path]:
    """Map name to path of the visible folders in `folder`."""
    find_images(folder, recursive=False)  # says so if it is missing or a file
    folders = {}
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith("."):
            # Some systems store accents apart from letters: equal names must compare equal.
            name = unicodedata.normalize("NFC", readable_name(path.name))
            if name in folders:
                raise ValueError(
                    f"{readable_name(folder)} holds two folders that are both called {name!r}, "
                    "with accents written in two ways. Merge them."
                )
            folders[name] = path
    return folders


def _read_all(
    files: Sequence[Path],
    size: tuple[int, int] | None,
    channels: int,
    readable: list[int],
    skipped: list[tuple[str, str]],
) -> Iterator[np.ndarray]:
    """Yield the images that can be read, in order; note which, and why others cannot."""

    def read(path):
        try:
            image = read_image(path, channels)
        except ImageError as error:
            return error
        return image if size is None else resize_image(image, size)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), CHUNK):
            for index, result in enumerate(pool.map(read, files[start : start + CHUNK]), start):
                if isinstance(result, ImageError):
                    skipped.append((readable_name(files[index]), str(result)))
                else:
                    readable.append(index)
                    yield result


def _report(root: Path, skipped: list[tuple[str, str]], total: int) -> None:
    if not skipped:
        return
    first = "; ".join(reason for _, reason in skipped[:3])
    if len(skipped) == total:
        raise ValueError(
            f"{readable_name(root)}: none of the {total} image files can be read. First: {first}."
        )
    logger.warning(
        "%s: left out %d of %d image files that cannot be read. First: %s",
        readable_name(root),
        len(skipped),
        total,
        first,
    )
