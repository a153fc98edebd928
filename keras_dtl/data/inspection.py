"""What a data set would be taken for, told in lines; training tells the same before it begins."""

import collections
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from keras_dtl.data.catalogue import EMBEDDED, load
from keras_dtl.data.folder_plan import FolderPlan, folder_plan
from keras_dtl.data.layouts import sided_folders, visible_folders
from keras_dtl.data.mask_folders import FOLDERS, Turns, segmentation_pairs
from keras_dtl.data.masks import (
    VOID_NAMES,
    check_void,
    class_numbers,
    class_table,
    read_classes,
    read_mask,
    void_share,
)
from keras_dtl.data.names import divide_name
from keras_dtl.data.npz import load_npz
from keras_dtl.data.pairs import SIDES, pairs_of
from keras_dtl.files import find_files
from keras_dtl.images import (
    ImageError,
    find_unread_files,
    open_image,
    read_image,
    readable_name,
    upright_size,
)

MOST_LISTED = 20
"""Classes and left-out files that are listed, at most."""


def describe(name: str, kind: str | None = None, thorough: bool = False) -> list[str]:
    """Return what a data set is taken for, a line each.

    Args:
        name: As for `keras_dtl.data.load`, or `paired:PATH`, `bvh:PATH`, or a path alone, whose
            kind is told by what it holds.
        kind: "folder", "paired", "segmentation", "npz", "bvh" or "named", where it is known.
        thorough: Whether every image is opened for its size, and every mask is read.

    Raises:
        FileNotFoundError: If there is nothing of that name.
        ValueError: If it cannot be used, with what is in the way; a training raises the same.
    """
    prefix, path = divide_name(name)
    if not prefix and name.startswith("bvh:"):
        prefix, path = "bvh", os.path.expanduser(name[4:])  # noqa: PTH111 (see divide_name)
    if not prefix and Path(path).expanduser().exists():
        path = str(Path(path).expanduser())
        prefix = kind_of(Path(path))
    elif prefix == "folder" and kind is None and Path(path).is_dir():
        prefix = kind_of(Path(path)) if kind_of(Path(path)) != "paired" else "folder"
    return _DESCRIPTIONS[kind or prefix or "named"](path, thorough)


def kind_of(path: Path) -> str:
    """Return the kind of a data set that lies at a path.

    Args:
        path: A file or a folder.

    Raises:
        ValueError: If it is a file of no kind that is read.
    """
    if path.suffix.lower() in (".npz", ".npy"):
        return "npz"
    if path.suffix.lower() == ".bvh":
        return "bvh"
    if path.is_file():
        raise ValueError(
            f"{readable_name(path)} is a file. Expected a folder, a .npz archive or a .bvh file; "
            "unpack other archives first."
        )
    if (path / "frames.csv").is_file() or _has_masks(path):
        return "segmentation"
    if find_files(path, {".bvh"}, on_error=lambda error: None):
        return "bvh"
    names = {name.lower() for name in visible_folders(path)}
    return "paired" if set(SIDES) <= names and not _differ(path) else "folder"


def _has_masks(path: Path) -> bool:
    places = [path, *visible_folders(path).values()]
    return any(all((place / name).is_dir() for name in FOLDERS) for place in places)


def _differ(path: Path) -> bool:
    """Whether A and B hold no files of the same names: then they are domains, or classes."""
    try:
        return not pairs_of(path, "train")
    except ValueError:
        return True


def _describe_folder(path: str, thorough: bool) -> list[str]:
    if Path(path).is_dir() and (sides := sided_folders(path)):
        lines = [f"{path}: two domains, {' and '.join(side.upper() for side in sides)}"]
        for side in sides:
            lines += _describe_plan(folder_plan(f"{path}/{side.upper()}"), thorough)
        return lines
    return _describe_plan(folder_plan(path), thorough)


def _describe_plan(plan: FolderPlan, thorough: bool) -> list[str]:
    lines = [f"{readable_name(plan.root)}: {plan.layout}"]
    if plan.classes:
        lines.append(f"{len(plan.classes)} classes: {_listed(plan.classes)}")
    plan.part("train")  # says so where there is nothing
    for split, part in plan.parts.items():
        lines.append(f"{split}: {_counts(len(part.files), part.labels, plan.classes)}")
    if plan.without_test:
        lines.append(f"no split test: {plan.without_test}")
    lines += [f"note: {note}" for note in plan.notes]
    files = [path for part in plan.parts.values() for path in part.files]
    unread = [entry for part in plan.parts.values() for entry in part.unread]
    return [*lines, *_sizes(files, thorough), *_left_out(unread)]


def _describe_pairs(path: str, thorough: bool) -> list[str]:
    lines, files = [f"{readable_name(path)}: pairs of images"], []
    for split in ("train", "test"):
        try:
            pairs = pairs_of(path, split)
        except ValueError as error:
            if split == "train":
                raise
            lines.append(f"no split test: {error}")
            continue
        if split == "train" and not pairs:
            raise ValueError(f"{readable_name(path)}: no pair found.")
        form = "side by side" if pairs and len(pairs[0]) == 1 else "in two folders"
        lines.append(f"{split}: {len(pairs)} pairs, {form}")
        files += [path for pair in pairs for path in pair]
    return [*lines, *_sizes(files, thorough), *_left_out(find_unread_files(path))]


def _describe_masks(path: str, thorough: bool) -> list[str]:
    root, lines, files, numbers = Path(path), [], [], np.zeros(256, "int64")
    known = read_classes(root)
    for split in ("train", "test"):
        try:
            pairs = segmentation_pairs(root, split)
        except ValueError as error:
            if split == "train":
                raise
            lines.append(f"no split test: {error}")
            continue
        lines.append(f"{split}: {len(pairs)} images with masks")
        files += [image for image, _ in pairs]
        for image, mask in pairs if thorough else ():
            numbers += _mask_counts(image, mask, known)
    if thorough and known is None:
        check_void(root, numbers)
    names = class_table(np.flatnonzero(numbers).tolist(), known)[1] if known or thorough else ()
    head = [f"{readable_name(root)}: images and masks"]
    head += [f"{len(names)} classes: {_listed(names)}"] if names else []
    if thorough:
        void = [number for number in known or () if known[number][0].lower() in VOID_NAMES]
        share = void_share(numbers) if known is None or 255 not in known else 0.0
        share += sum(numbers[number] for number in void) / max(1, numbers.sum())
        lines.append(f"void: {share:.1%} of the pixels")
    return [*head, *lines, *_sizes(files, thorough)]


def _mask_counts(image_path: Path, mask_path: Path, known: dict | None) -> np.ndarray:
    shape = read_image(image_path).shape[:2]
    mask = Turns().fit(read_mask(mask_path), image_path, mask_path, shape)
    return np.bincount(class_numbers(mask, known, mask_path).ravel(), minlength=256)


def _describe_archive(path: str, thorough: bool) -> list[str]:
    parts = {split: load_npz(path, split) for split in ("train", "test")}
    return [f"{readable_name(path)}: an archive of arrays", *_examples(parts)]


def _describe_named(name: str, thorough: bool) -> list[str]:
    if name in EMBEDDED:
        parts = {split: load(name, split) for split in ("train", "test")}
        return [f"{name}: embedded, no download", *_examples(parts)]
    from keras_dtl.data.tfds_source import tfds_lines

    return tfds_lines(name)


def _describe_bvh(path: str, thorough: bool) -> list[str]:
    from keras_dtl.data.motion_check import describe_motion

    return [f"{readable_name(path)}: motion", *describe_motion(path).lines()]


_DESCRIPTIONS: dict[str, Callable[[str, bool], list[str]]] = {
    "folder": _describe_folder,
    "paired": _describe_pairs,
    "segmentation": _describe_masks,
    "npz": _describe_archive,
    "bvh": _describe_bvh,
    "named": _describe_named,
}


def _examples(parts: dict) -> list[str]:
    train = parts["train"]
    lines = [f"{len(train.classes)} classes: {_listed(train.classes)}"]
    for split, part in parts.items():
        lines.append(f"{split}: {_counts(len(part), part.labels, part.classes)}")
    height, width, channels = train.image_shape
    return [*lines, f"sizes: {width}x{height} (width x height), {channels} channels"]


def _counts(count: int, labels: np.ndarray | None, classes: Sequence[str]) -> str:
    if labels is None:
        return f"{count} images without labels"
    each = np.bincount(labels, minlength=len(classes))
    return f"{count} images ({_listed(f'{n} {k}' for n, k in zip(classes, each, strict=True))})"


def _listed(names: Iterable[str]) -> str:
    names = [str(name) for name in names]
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more


def _sizes(files: Sequence[Path], thorough: bool) -> list[str]:
    """Return the sizes of images as they are seen, and which cannot be opened."""
    if not thorough:
        return []
    sizes, broken = collections.Counter(), []
    for path in files:
        try:
            with open_image(path) as image:
                sizes[upright_size(image)] += 1
        except ImageError as error:
            broken.append((readable_name(path), str(error)))
    lines = []
    if sizes:
        small, large = (
            "x".join(map(str, each)) for each in (min(sizes, key=np.prod), max(sizes, key=np.prod))
        )
        words = small if len(sizes) == 1 else f"{len(sizes)} sizes, {small} to {large}"
        lines.append(f"sizes: {words} (width x height)")
    lines += [f"cannot be opened: {reason}" for _, reason in broken[:MOST_LISTED]]
    return lines


def _left_out(unread: Iterable[tuple[str, str]]) -> list[str]:
    reasons = collections.defaultdict(list)
    for path, reason in unread:
        reasons[reason].append(path)
    return [
        f"left out: {len(paths)} ({reason}): {_listed(paths)}" for reason, paths in reasons.items()
    ]
