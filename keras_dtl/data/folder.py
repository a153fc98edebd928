"""`folder:PATH`: a user's own images, with one sub-folder a class."""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_dtl.data.labelled import LabelledImages
from keras_dtl.data.layouts import split_folders, split_of, test_folder, visible_folders
from keras_dtl.data.splits import stratified_split
from keras_dtl.data.storage import MEMORY_LIMIT, stack_images
from keras_dtl.files import FilePath
from keras_dtl.images import (
    ImageError,
    find_images,
    find_unread_files,
    read_image,
    readable_name,
    resize_image,
)

CHUNK = 1024  # images read ahead, at most

logger = logging.getLogger("keras_dtl")


@dataclass(frozen=True)
class FolderPart:
    """The files of one split.

    Args:
        files: Paths of images.
        labels: Integers `(files,)`, or None when unlabelled.
        unread: `(path, reason)` of the files that are no images, or none that are read.
    """

    files: list[Path]
    labels: np.ndarray | None = None
    unread: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class FolderPlan:
    """What a folder is taken for, before any image of it is decoded.

    Args:
        root: The folder.
        layout: That in words.
        parts: `FolderPart`s by split, "train" and mostly "test".
        classes: Names in label order; empty when unlabelled.
        without_test: Why there is no split "test", or "".
        notes: What a user should know before a training begins.
    """

    root: Path
    layout: str
    parts: dict[str, FolderPart]
    classes: tuple[str, ...] = ()
    without_test: str = ""
    notes: list[str] = field(default_factory=list)

    def part(self, split: str) -> FolderPart:
        """Return the files of a split.

        Args:
            split: "train" or "test".

        Raises:
            ValueError: If there are none.
        """
        if split == "test" and self.without_test and self.parts["train"].files:
            raise ValueError(f"{readable_name(self.root)}: {self.without_test}")
        if split not in self.parts or not self.parts[split].files:
            raise ValueError(
                f"{readable_name(self.root)}: no image found for the split {split!r}. "
                f"Expected {_EXPECTED} with files that end in .jpg, .png or another image suffix."
            )
        return self.parts[split]


def load_folder(
    path: FilePath,
    split: str = "train",
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> LabelledImages:
    """Load the images of a folder, in any format and size that `keras_dtl.images` reads.

    The folder takes one of three forms:

    - `PATH/train/CLASS/image.jpg` and `PATH/test/CLASS/image.jpg`: split by the user. Splits
      bear any of the common names, see `keras_dtl.data.layouts.SPLIT_NAMES`; without a split
      test that of validation is tested on.
    - `PATH/CLASS/image.jpg`: each class is split, always alike, in 80 % for training and 20 % for
      testing.
    - `PATH/image.jpg`: unlabelled images, all for training.

    Classes are sorted by name. Images may lie in further folders below their class. Files that
    cannot be read, or are no images, are left out, logged, and listed in the result's `skipped`.
    `PATH/A` also names one side of `trainA trainB testA testB`.

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
    plan = folder_plan(path)
    part = plan.part(split)
    for note in plan.notes if split == "train" else ():
        logger.warning("%s: %s", readable_name(plan.root), note)
    readable, skipped = [], []  # positions in files; (path, reason)
    images = stack_images(
        _read_all(part.files, size, channels or 3, readable, skipped),
        len(part.files),
        memory_limit,
    )
    _report(plan.root, skipped, len(part.files))
    report_unread(plan.root, part.unread)
    if part.labels is None:
        return LabelledImages(images, None, (), (*skipped, *part.unread))
    labels = part.labels[readable]
    return LabelledImages(images, labels, plan.classes, (*skipped, *part.unread))


_EXPECTED = "train/CLASS/ and test/CLASS/ folders, CLASS/ folders, or images without labels,"


def folder_plan(path: FilePath) -> FolderPlan:
    """Return what a folder is taken for; see `load_folder` for its forms.

    Args:
        path: The folder.

    Raises:
        FileNotFoundError, NotADirectoryError: If it is none.
        ValueError: If it is of none of these forms; the message names what is in the way.
    """
    root = Path(path)
    splits = split_folders(root)
    if splits:
        return _given_plan(root, splits)
    folders = visible_folders(root)
    _refuse_splits_below(root, folders)
    notes = []
    whole, classes = _class_files(root, folders, None, notes)
    if whole.labels is None:
        without = (
            "images without class folders are all for training. "
            "For testing, sort them into CLASS/ folders, or into train/CLASS/ and test/CLASS/."
        )
        return FolderPlan(root, "images without labels", {"train": whole}, (), without, notes)
    train, test = stratified_split(whole.labels)
    parts = {
        "train": FolderPart([whole.files[i] for i in train], whole.labels[train], whole.unread),
        "test": FolderPart([whole.files[i] for i in test], whole.labels[test]),
    }
    layout = "class folders, 20 % of each class for testing"
    return FolderPlan(root, layout, parts, classes, "", notes)


def _given_plan(root: Path, splits: dict[str, Path]) -> FolderPlan:
    notes, folders = [], visible_folders(splits["train"])
    train, classes = _class_files(splits["train"], folders, None, notes)
    if train.labels is None:
        classes = ()
    parts, without = {"train": train}, ""
    try:
        tested = test_folder(root, splits)
        parts["test"] = _given_test(tested, classes, notes)
    except ValueError as error:
        if "test" in splits or "validation" in splits:
            raise
        without = str(error).partition(": ")[2]
    else:
        if train.labels is not None and parts["test"].labels is None and parts["test"].files:
            parts["test"] = _labelled_validation(splits, classes, parts["test"], notes)
        elif "validation" in splits and tested != splits["validation"]:
            notes.append(f"{splits['validation'].name}/ is left out: test/ is scored on.")
    names = ", ".join(path.name for path in splits.values())
    return FolderPlan(root, f"splits {names}", parts, classes, without, notes)


def _given_test(folder: Path, classes: Sequence[str], notes: list[str]) -> FolderPart:
    class_folders = visible_folders(folder)
    unknown = sorted(set(class_folders).difference(classes))
    if unknown:
        raise ValueError(
            f"{readable_name(folder)} holds classes that train/ lacks: {', '.join(unknown)}. "
            "Remove them, or add images of them to train/."
        )
    return _class_files(folder, class_folders, classes if class_folders else (), notes)[0]


def _labelled_validation(
    splits: dict[str, Path], classes: Sequence[str], flat: FolderPart, notes: list[str]
) -> FolderPart:
    """Return the labelled split to score on where the folder of tests has no labels."""
    name = splits.get("test", splits.get("validation")).name
    words = f"{name}/ holds {len(flat.files)} images without class folders, a test without labels"
    if "test" in splits and "validation" in splits:
        part = _given_test(splits["validation"], classes, notes)
        if part.labels is not None:
            notes.append(f"{words}: {splits['validation'].name}/ is scored on.")
            return part
    notes.append(
        f"{words}: nothing can be scored on it. Sort it into {name}/CLASS/, or move what is in "
        "train/ up beside each other to have 20 % of each class for testing."
    )
    return flat


def _refuse_splits_below(root: Path, folders: dict[str, Path]) -> None:
    """Refuse splits one folder further down, which would be taken for images of a class."""
    for name, folder in folders.items():
        below = sorted(child for child in visible_folders(folder) if split_of(child))
        if below:
            raise ValueError(
                f"{readable_name(root)} holds splits one folder further down: "
                f"{', '.join(f'{name}/{child}' for child in below)}. Give {readable_name(folder)}, "
                "or rename them if they are no splits."
            )


def _class_files(
    folder: Path,
    class_folders: dict[str, Path],
    classes: Sequence[str] | None,
    notes: list[str],
) -> tuple[FolderPart, tuple[str, ...]]:
    """List the images of class folders; without any in them, those of `folder` itself."""
    classes = tuple(sorted(class_folders) if classes is None else classes)
    files, labels, empty = [], [], []
    for label, name in enumerate(classes):
        found = find_images(class_folders[name]) if name in class_folders else []
        empty += [] if found else [f"{folder.name}/: no image of the class {name}."]
        files += found
        labels += [label] * len(found)
    notes += empty
    loose = find_images(folder, recursive=False)
    unread = find_unread_files(folder)
    if not files:
        return FolderPart(loose, None, unread), ()
    if loose:
        notes.append(f"left out {len(loose)} image(s) beside the class folders of {folder.name}/.")
        unread += tuple((readable_name(path), "beside the class folders") for path in loose)
    return FolderPart(files, np.array(labels, "int32"), unread), classes


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


def report_unread(root: FilePath, unread: Sequence[tuple[str, str]]) -> None:
    """Log the files of a folder that are left out, if there are any.

    Args:
        root: The folder.
        unread: `(path, reason)` of each.
    """
    if unread:
        logger.warning(
            "%s: left out %d file(s): %s", readable_name(root), len(unread), listing(unread)
        )


def listing(unread: Sequence[tuple[str, str]], most: int = 3) -> str:
    """Return the first of the files that are left out, with the reasons.

    Args:
        unread: `(path, reason)` of each.
        most: How many to name.
    """
    words = "; ".join(f"{path}: {reason}" for path, reason in unread[:most])
    return words + (f"; and {len(unread) - most} more" if len(unread) > most else "")
