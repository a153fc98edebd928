"""Which mask belongs to which image, and how both lie."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keras_dtl.data.folder import report_unread
from keras_dtl.data.layouts import split_folders, test_folder, visible_folders
from keras_dtl.data.masks import Mask
from keras_dtl.data.pair_folders import files_by_stem
from keras_dtl.data.tables import read_table
from keras_dtl.files import FilePath, readable_name
from keras_dtl.images import find_images, find_unread_files, open_image, orientation_of

FOLDERS = ("images", "masks")
MASK_ENDINGS = ("_mask", "_masks", "_label", "_labels", "_seg", "_segmentation", "_gt")
"""What names of masks may have after the name of their image."""


def segmentation_pairs(
    root: FilePath, split: str, sequences: Sequence[str] | None = None
) -> list[tuple[Path, Path]]:
    """List the image and the mask of each example of a split; see `load_segmentation`.

    Args:
        root: The folder.
        split, sequences: As for `load_segmentation`.

    Raises:
        FileNotFoundError, ValueError: As `load_segmentation`.
    """
    root = Path(root)
    if (root / "frames.csv").is_file():
        pairs = _table_pairs(root, split, sequences)
    elif sequences is not None:
        raise ValueError(
            f"{readable_name(root)} has no frames.csv that would say what belongs to the sequences "
            f"{', '.join(sequences)}."
        )
    else:
        pairs = _folder_pairs(*_image_and_mask_folders(root, split))
    if not pairs:
        raise ValueError(f"{readable_name(root)} holds no image for the split {split!r}.")
    return pairs


def has_test(root: FilePath, sequences: Sequence[str] | None = None) -> bool:
    """Return whether a folder of images and masks has a split of its own to test on.

    Args:
        root: The folder.
        sequences: Names of sequences of `frames.csv` that are asked for; all by default.
    """
    root = Path(root)
    if (root / "frames.csv").is_file():
        return bool(_table_pairs(root, "test", sequences))
    folders = visible_folders(root)
    divided = folders["images"] if set(FOLDERS) <= set(folders) else root
    return len(split_folders(divided)) > 1


def images_without_use(root: FilePath, used: Iterable[Path]) -> tuple[tuple[str, str], ...]:
    """List the images of a folder that are neither images nor masks of its examples.

    Args:
        root: The folder.
        used: The files that are.

    Returns:
        `(path, reason)` of each, as text of one line.
    """
    used = {path.resolve() for path in used}
    others = (path for path in find_images(root) if path.resolve() not in used)
    return tuple((readable_name(path), "neither image nor mask of an example") for path in others)


@dataclass
class Turns:
    """How masks lie to photos that their EXIF turns.

    Args:
        like_photo: Masks without EXIF that were turned like their photo, by their shape.
        unknown: Masks of which their shape does not say whether they lie as the photo is seen;
            they are taken so.
    """

    like_photo: list[Path] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)

    def fit(self, mask: Mask, image_path: Path, mask_path: Path, shape: tuple[int, int]) -> Mask:
        """Return a mask as its photo is seen.

        Args:
            mask: What `read_mask` returned.
            image_path, mask_path: The files.
            shape: Height and width of the upright photo.

        Raises:
            ValueError: When they differ in size.
        """
        if mask.orientation == 1:
            with open_image(image_path) as image:
                turn = orientation_of(image)
            if turn > 1 and mask.shape != shape and mask.shape == shape[::-1] and turn >= 5:
                self.like_photo.append(mask_path)
                mask = mask.turn(turn)
            elif turn > 1 and (turn < 5 or shape[0] == shape[1]):
                self.unknown.append(mask_path)
        if mask.shape != shape:
            raise ValueError(
                f"{readable_name(image_path)} has {shape[0]}x{shape[1]} pixels and its mask "
                f"{readable_name(mask_path)} {mask.shape[0]}x{mask.shape[1]}. They must have one "
                "size."
            )
        return mask


def _table_pairs(
    root: Path, split: str, sequences: Sequence[str] | None
) -> list[tuple[Path, Path]]:
    rows = read_table(root / "frames.csv", ("image", "label", "split", "sequence"))
    present = sorted({row["sequence"] for row in rows})
    unknown = sorted(set(sequences or ()).difference(present))
    if unknown:
        raise ValueError(
            f"{readable_name(root)} has no sequence {', '.join(unknown)}. There are: "
            f"{', '.join(present)}."
        )
    return [
        (root / row["image"], root / row["label"])
        for row in rows
        if row["split"] == split and (sequences is None or row["sequence"] in sequences)
    ]


def _image_and_mask_folders(root: Path, split: str) -> tuple[Path, Path]:
    folders = visible_folders(root)
    if not set(FOLDERS) <= set(folders):
        splits = split_folders(root)
        folder = _of_split(root, splits, split) if splits else root
        return tuple(_require(folder, name) for name in FOLDERS)
    inside = [split_folders(folders[name]) for name in FOLDERS]
    if any(inside):
        if set(inside[0]) != set(inside[1]):
            raise ValueError(
                f"{readable_name(root)}: images/ and masks/ hold different splits. Give both the "
                "same folders."
            )
        return tuple(_of_split(root, splits, split) for splits in inside)
    if split != "train":
        raise ValueError(
            f"{readable_name(root)} is not split: all of it is for training. Sort it into "
            "train/images, train/masks, test/images and test/masks, or hold some out of it."
        )
    return tuple(folders[name] for name in FOLDERS)


def _of_split(root: Path, splits: dict[str, Path], split: str) -> Path:
    return splits["train"] if split == "train" else test_folder(root, splits)


def _require(folder: Path, name: str) -> Path:
    if not (folder / name).is_dir():
        raise FileNotFoundError(
            f"{readable_name(folder)} has no folder {name}. Expected images/ and masks/, with "
            "files of the same names, or frames.csv."
        )
    return folder / name


def _folder_pairs(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    found = files_by_stem(images)
    masks_by_name = _masks_by_name(masks, set(found))
    pairs = []
    for name, path in found.items():
        if name not in masks_by_name:
            raise FileNotFoundError(
                f"{readable_name(path)} has no mask: expected masks/{name}.png. Add it, or take "
                "the image away."
            )
        pairs.append((path, masks_by_name.pop(name)))
    alone = [(readable_name(path), "a mask without image") for path in masks_by_name.values()]
    report_unread(images.parent, (*alone, *find_unread_files(images), *find_unread_files(masks)))
    return pairs


def _masks_by_name(folder: Path, names: set[str]) -> dict[str, Path]:
    """Map the name of its image to each mask, without an ending such as `_mask`."""
    masks = {}
    for path in find_images(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name not in names:
            shorter = [name.removesuffix(end) for end in MASK_ENDINGS if name.endswith(end)]
            name = next((short for short in shorter if short in names), name)
        if name in masks:
            raise ValueError(
                f"{readable_name(masks[name])} and {readable_name(path)} are masks of one image. "
                "Take one away."
            )
        masks[name] = path
    return masks
