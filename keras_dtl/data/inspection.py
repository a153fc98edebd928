"""What a data set would be taken for, told in lines; training tells the same before it begins."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_dtl.data.catalogue import EMBEDDED, load, named_lines
from keras_dtl.data.folder_plan import FolderPlan, folder_plan
from keras_dtl.data.layouts import SIDES, sided_folders, split_of, visible_folders
from keras_dtl.data.mask_census import MaskCensus, void_share
from keras_dtl.data.mask_folders import FOLDERS, Turns, images_without_use, segmentation_pairs
from keras_dtl.data.masks import (
    VOID_NAMES,
    Classes,
    class_numbers,
    class_table,
    read_classes,
    read_mask,
)
from keras_dtl.data.names import divide_name
from keras_dtl.data.npz import read_arrays
from keras_dtl.data.pair_folders import files_in_no_pair, halving_note, pairs_of, require_sizes
from keras_dtl.data.summary import (
    copy_lines,
    count_line,
    example_lines,
    image_sizes,
    size_lines,
)
from keras_dtl.files import FilePath, readable_name
from keras_dtl.folders import find_files, join_names, left_out_lines
from keras_dtl.images import find_images, read_image

NO_TEST = "no split test"
"""How a line begins that says why there is none."""


def describe(
    name: str,
    kind: str | None = None,
    thorough: bool = False,
    data_dir: FilePath | None = None,
) -> list[str]:
    """Return what a data set is taken for, a line each.

    Args:
        name: As for `keras_dtl.data.load`, or `paired:PATH`, `bvh:PATH`, or a path alone, whose
            kind is told by what it holds.
        kind: "folder", "paired", "segmentation", "npz", "bvh" or "named", where it is known.
        thorough: Whether every image is opened for its size, and every mask is read.
        data_dir: Where TFDS keeps prepared data sets.

    Raises:
        FileNotFoundError: If there is nothing of that name.
        ValueError: If it cannot be used, with what is in the way; a training raises the same.
    """
    prefix, path = divide_name(name)
    if prefix == "bvh":
        return _describe_bvh(path, thorough, for_training=True)
    if not prefix and path.strip() and Path(path).expanduser().exists():
        path = str(Path(path).expanduser())
        prefix = kind_of(Path(path))
    elif prefix == "folder" and kind is None and Path(path).is_dir():
        prefix = kind_of(Path(path)) if kind_of(Path(path)) != "paired" else "folder"
    if (kind or prefix or "named") == "named":
        return _describe_named(path, data_dir)
    return _DESCRIPTIONS[kind or prefix](path, thorough)


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
    motion = find_files(path, {".bvh"}, on_error=lambda error: None)
    if len(motion) > len(find_images(path, on_error=lambda error: None)):
        return "bvh"
    folders = visible_folders(path)
    inside = [visible_folders(folder) for name, folder in folders.items() if split_of(name)]
    has_sides = any(set(SIDES) <= {name.lower() for name in names} for names in (folders, *inside))
    return "paired" if has_sides and not _differ(path) else "folder"


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
        lines.append(f"{len(plan.classes)} classes: {join_names(plan.classes)}")
    plan.part("train")  # says so where there is nothing
    for split, part in plan.parts.items():
        lines.append(f"{split}: {count_line(len(part.files), part.labels, plan.classes)}")
    if plan.without_test:
        lines.append(f"{NO_TEST}: {plan.without_test}")
    lines += [f"note: {note}" for note in plan.notes]
    if plan.classes and "test" in plan.parts:
        lines += copy_lines(plan.parts["train"].files, plan.parts["test"].files)
    files = [path for part in plan.parts.values() for path in part.files]
    unread = [entry for part in plan.parts.values() for entry in part.unread]
    sizes, broken = image_sizes(files if thorough else ())
    if sizes and not plan.classes and all(width == 2 * height for width, height in sizes):
        lines.append(
            "note: all images are twice as wide as high. If these are pairs side by side, name "
            f"them paired:{readable_name(plan.root)}."
        )
    return [*lines, *size_lines(sizes, broken), *left_out_lines(unread)]


def _describe_pairs(path: str, thorough: bool) -> list[str]:
    lines, files, by_split = [f"{readable_name(path)}: pairs of images"], [], {}
    for split in ("train", "test"):
        try:
            pairs = pairs_of(path, split)
        except ValueError as error:
            if split == "train":
                raise
            lines.append(f"{NO_TEST}: {error}")
            continue
        form = "side by side" if len(pairs[0]) == 1 else "in two folders"
        lines.append(f"{split}: {len(pairs)} pairs, {form}")
        by_split[split] = [pair[0] for pair in pairs]
        if split == "train" and (note := halving_note(pairs[0])):
            lines.append(f"note: {note}")
        if thorough:
            require_sizes(pairs)
        files += [path for pair in pairs for path in pair]
    return [
        *lines,
        *copy_lines(by_split["train"], by_split.get("test", ())),
        *size_lines(*image_sizes(files if thorough else ())),
        *left_out_lines(files_in_no_pair(path)),
    ]


def _describe_masks(path: str, thorough: bool) -> list[str]:
    root, lines, files, numbers = Path(path), [], [], np.zeros(256, "int64")
    by_split = {}
    known = read_classes(root)
    for split in ("train", "test"):
        try:
            pairs = segmentation_pairs(root, split)
        except (ValueError, FileNotFoundError) as error:
            if split == "train":
                raise
            lines.append(f"{NO_TEST}: {error}")
            continue
        lines.append(f"{split}: {len(pairs)} images with masks")
        files += pairs
        by_split[split] = [image for image, _ in pairs]
        numbers += _mask_counts(root, pairs, known) if thorough else 0
    lines += copy_lines(by_split["train"], by_split.get("test", ()))
    names = class_table(np.flatnonzero(numbers).tolist(), known)[1] if known or thorough else ()
    head = [f"{readable_name(root)}: images and masks"]
    head += [f"{len(names)} classes: {join_names(names)}"] if names else []
    if thorough:
        void = [number for number in known or () if known[number][0].lower() in VOID_NAMES]
        share = void_share(numbers) if known is None or 255 not in known else 0.0
        share += sum(numbers[number] for number in void) / max(1, numbers.sum())
        lines.append(f"void: {share:.1%} of the pixels")
    left_out = left_out_lines(images_without_use(root, (path for pair in files for path in pair)))
    sizes = image_sizes(image for image, _ in files if thorough)
    return [*head, *lines, *size_lines(*sizes), *left_out]


def _mask_counts(root: Path, pairs: list[tuple[Path, Path]], known: Classes | None) -> np.ndarray:
    """Return the pixels of a split by number, where nothing speaks against its masks."""
    census, turns = MaskCensus(), Turns()
    for image_path, mask_path in pairs:
        shape = read_image(image_path).shape[:2]
        mask = turns.fit(read_mask(mask_path), image_path, mask_path, shape)
        census.add(mask, class_numbers(mask, known, mask_path), mask_path)
    census.check(root, known)
    return census.counts


def _describe_archive(path: str, thorough: bool) -> list[str]:
    from keras_dtl.data.motion import is_motion_archive

    if ".npz:" not in path and is_motion_archive(path):
        return _describe_clips(path)
    arrays = read_arrays(path)
    names = ", ".join(f"{images} and {labels}" for images, labels in arrays.names.values())
    parts = {split: arrays.examples(split) for split in ("train", "test")}
    others = [f"left out: the arrays {join_names(arrays.others)}"] if arrays.others else []
    lines = [f"{readable_name(path)}: an archive of arrays, {names}", *example_lines(parts)]
    return lines + others


def _describe_clips(path: str) -> list[str]:
    from keras_dtl.data.motion import load_archive

    clips = load_archive(path, rate=None)
    actions, styles = (
        join_names(
            f"{name} {count}" for name, count in zip(names, np.bincount(labels), strict=True)
        )
        for names, labels in (
            (clips.action_names, clips.actions),
            (clips.style_names, clips.styles),
        )
    )
    joints = clips.skeleton.names
    return [
        f"{readable_name(path)}: an archive of motion",
        f"{len(clips)} clips, {sum(map(len, clips.positions))} frames, {clips.rate:g} a second",
        f"skeleton of {len(joints)} joints: {', '.join(joints)}",
        f"actions: {actions}; styles: {styles}",
    ]


def _describe_named(name: str, data_dir: FilePath | None) -> list[str]:
    if name in EMBEDDED:
        parts = {split: load(name, split) for split in ("train", "test")}
        return [f"{name}: embedded, no download", *example_lines(parts)]
    return named_lines(name, data_dir)


def _describe_bvh(path: str, thorough: bool, for_training: bool = False) -> list[str]:
    from keras_dtl.data.motion_check import describe_motion

    found = describe_motion(path)
    lines = found.for_training() if for_training else found.lines()
    if found.refusal and found.refusal != found.problem:
        lines.append(f"cannot be learnt from: {found.refusal}")
    return [f"{readable_name(path)}: motion", *lines]


_DESCRIPTIONS: dict[str, Callable[[str, bool], list[str]]] = {
    "folder": _describe_folder,
    "paired": _describe_pairs,
    "segmentation": _describe_masks,
    "npz": _describe_archive,
    "bvh": _describe_bvh,
}
