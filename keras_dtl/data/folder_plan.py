"""What a folder of images is taken for, before any of them is decoded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_dtl.data.layouts import split_folders, split_roles, test_folder, visible_folders
from keras_dtl.data.splits import stratified_split
from keras_dtl.files import FilePath, readable_name
from keras_dtl.images import find_images, find_unread_files

_EXPECTED = "train/CLASS/ and test/CLASS/ folders, CLASS/ folders, or images without labels,"


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


def folder_plan(path: FilePath) -> FolderPlan:
    """Return what a folder is taken for; see `keras_dtl.data.folder.load_folder` for its
    forms.

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
    notes = _notes_of_likeness(folders) + _notes_of_tables(root)
    whole, classes = _class_files(root, folders, None, notes)
    if whole.labels is None:
        without = (
            "images without class folders are all for training. "
            "For testing, sort them into CLASS/ folders, or into train/CLASS/ and test/CLASS/."
        )
        return FolderPlan(root, "images without labels", {"train": whole}, (), without, notes)
    train, test = stratified_split(whole.labels)
    layout = "class folders, 20 % of each class for testing"
    if not len(test):
        without = (
            "each class has one image, which is for training. For testing, add images, or sort "
            "them into train/CLASS/ and test/CLASS/."
        )
        return FolderPlan(root, "class folders", {"train": whole}, classes, without, notes)
    parts = {
        "train": FolderPart([whole.files[i] for i in train], whole.labels[train], whole.unread),
        "test": FolderPart([whole.files[i] for i in test], whole.labels[test]),
    }
    return FolderPlan(root, layout, parts, classes, "", notes)


def _notes_of_tables(root: Path) -> list[str]:
    """Say of tables beside the images, which may hold labels, that they are not read."""
    tables = sorted(path.name for path in root.glob("*.csv"))
    return [
        f"{name} is not read. Classes are folders: sort the images into CLASS/IMAGE."
        for name in tables[:1]
    ]


def _given_plan(root: Path, splits: dict[str, Path]) -> FolderPlan:
    notes, folders = _notes_of_tables(root), visible_folders(splits["train"])
    _refuse_splits_inside(splits["train"], folders)
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
            notes.append(f"{splits['validation'].name}/ is left out: {tested.name}/ is scored on.")
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
        roles = split_roles(visible_folders(folder))
        below = sorted(child for child, role in roles.items() if role)
        if below:
            raise ValueError(
                f"{readable_name(root)} holds splits one folder further down: "
                f"{', '.join(f'{name}/{child}' for child in below)}. Give {readable_name(folder)}, "
                "or rename them if they are no splits."
            )


def _refuse_splits_inside(folder: Path, folders: dict[str, Path]) -> None:
    """Refuse a folder of training that holds splits itself; a class may be called train, too."""
    roles = split_roles(folders)
    if len({role for role in roles.values() if role}) > 1:
        raise ValueError(
            f"{readable_name(folder)} holds splits itself: "
            f"{', '.join(sorted(name for name, role in roles.items() if role))}. Give it alone, "
            "or rename them if they are classes."
        )


def _notes_of_likeness(folders: dict[str, Path]) -> list[str]:
    """Say so where all classes hold the same folders, as splits and domains do."""
    inside = {tuple(visible_folders(folder)) for folder in folders.values()}
    names = inside.pop() if len(inside) == 1 and len(folders) > 1 else ()
    if len(names) < 2:
        return []
    return [
        f"each of {', '.join(folders)} holds the folders {', '.join(names[:5])}. If those are the "
        f"classes, and {', '.join(folders)} are splits or domains, call the splits train and test, "
        "or give one of the domains."
    ]


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
