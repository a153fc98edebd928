"""Which files make a pair, and how both lie."""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from keras_dtl.data.layouts import (
    SIDES,
    sided_folders,
    split_folders,
    split_of,
    test_folder,
    visible_folders,
)
from keras_dtl.files import FilePath, readable_name
from keras_dtl.images import (
    ImageError,
    find_images,
    find_unread_files,
    open_image,
    upright_size,
)

TEST_SHARE = 5  # one pair in so many is for testing where the user has not split


def pairs_of(root: FilePath, split: str) -> list[tuple[Path, ...]]:
    """List the one or two files of each pair of a split; see `keras_dtl.data.load_pairs`.

    Args:
        root: The folder.
        split: "train" or "test".

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If there are none, a file has no partner, or folders are of no form that is
            known.
    """
    root = Path(root)
    pairs = _find_pairs(root, split)
    if not pairs:
        raise ValueError(
            f"{readable_name(root)}: no pair found for the split {split!r}. Expected images side "
            "by side in one file each, or sub-folders A and B with files of the same names; in "
            "train/ and test/, or five and more without split, of which every fifth is for testing."
        )
    return pairs


def files_in_no_pair(root: FilePath) -> tuple[tuple[str, str], ...]:
    """List the files of a folder that are in no pair of any split.

    Args:
        root: The folder.

    Returns:
        `(path, reason)` of each, as text of one line.
    """
    used = set()
    for split in ("train", "test"):
        with contextlib.suppress(ValueError):
            used |= {path for pair in pairs_of(root, split) for path in pair}
    others = [path for path in find_images(root) if path not in used]
    left_out = tuple((readable_name(path), "an image in none of the pairs") for path in others)
    return (*find_unread_files(root), *left_out)


def _find_pairs(root: Path, split: str) -> list[tuple[Path, ...]]:
    sides = sided_folders(root)
    if sides:
        return _matched(root, [_chosen(root, sides[side], split) for side in SIDES])
    folders = visible_folders(root)
    if set(SIDES) <= {name.lower() for name in folders}:
        others = [name for name in folders if name.lower() not in SIDES and split_of(name)]
        if others:
            raise ValueError(
                f"{readable_name(root)} holds {', '.join(sorted(others))} beside A and B, which "
                "have no splits. Split A and B themselves, as in A/train, or move it elsewhere."
            )
    elif splits := split_folders(root):
        return _pairs_in(_chosen(root, splits, split))
    pairs = _pairs_in(root)
    is_test = [index % TEST_SHARE == TEST_SHARE - 1 for index in range(len(pairs))]
    return [pair for pair, test in zip(pairs, is_test, strict=True) if test == (split == "test")]


def _chosen(root: Path, splits: dict[str, Path], split: str) -> Path:
    return splits["train"] if split == "train" else test_folder(root, splits)


def _pairs_in(folder: Path) -> list[tuple[Path, ...]]:
    """Return tuples of the one or two files that hold each pair."""
    folders = {name.lower(): path for name, path in visible_folders(folder).items()}
    if not set(SIDES) <= set(folders):
        if set(SIDES) & set(folders):
            raise ValueError(
                f"{readable_name(folder)} has one of the sub-folders A and B but not the other."
            )
        return [(path,) for path in _files_to_halve(folder)]
    return _matched(folder, [folders[side] for side in SIDES])


def _files_to_halve(folder: Path) -> list[Path]:
    """Return the images right in a folder, of which no two bear one name."""
    found = {}
    for path in find_images(folder, recursive=False):
        other = found.setdefault(path.stem, path)
        if other != path:
            raise ValueError(
                f"{readable_name(other)} and {readable_name(path)} bear one name, as both images "
                "of a pair do; side by side, each file of a folder holds both. Move them into the "
                "sub-folders A and B, or take one away."
            )
    return list(found.values())


def require_one_size(pair: tuple[Path, ...], sizes: Sequence[tuple[int, int]]) -> None:
    """Refuse a pair whose images are of two sizes, or a file that cannot be halved.

    Args:
        pair: The one or two files.
        sizes: Width and height of each in pixels.

    Raises:
        ValueError: With the sizes.
    """
    if len(pair) == 1 and sizes[0][0] % 2:
        raise ValueError(
            f"{readable_name(pair[0])} is {sizes[0][0]} pixels wide, which cannot be halved. "
            "Expected A and B side by side, equally wide."
        )
    if len(set(sizes)) > 1:
        words = " and ".join(f"{width}x{height}" for width, height in sizes)
        raise ValueError(
            f"{readable_name(pair[0])} and its partner are {words} pixels. Both images of a pair "
            "must have one size, so that their pixels correspond."
        )


def require_sizes(pairs: Sequence[tuple[Path, ...]]) -> None:
    """Refuse pairs as `require_one_size` does, by what their files say of themselves.

    Args:
        pairs: The one or two files of each; what cannot be opened is left to who reads it.

    Raises:
        ValueError: Of the first that is refused.
    """
    for pair in pairs:
        sizes = []
        with contextlib.suppress(ImageError):
            for path in pair:
                with open_image(path) as image:
                    sizes.append(upright_size(image))
            require_one_size(pair, sizes)


def halving_note(pair: tuple[Path, ...]) -> str | None:
    """Say that files are halved which may be single photos, or nothing of others.

    Args:
        pair: The one or two files of a pair.
    """
    if len(pair) > 1:
        return None
    try:
        with open_image(pair[0]) as image:
            width, height = upright_size(image)
    except ImageError:  # left out, and named, where pairs are read
        return None
    if width == 2 * height:
        return None
    return (
        f"each file is halved, {readable_name(pair[0].name)} into A and B of {width // 2}x{height} "
        "pixels (width x height). If these are single photos, they are no pairs."
    )


def _matched(folder: Path, sides: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Return pairs of the files that bear one name in both folders."""
    files = [files_by_stem(side) for side in sides]
    if not set(files[0]) & set(files[1]):
        files = [_without_side(stems, side) for stems, side in zip(files, SIDES, strict=True)]
    alone = sorted(
        str(files[0].get(stem) or files[1][stem]) for stem in set(files[0]) ^ set(files[1])
    )
    if alone:
        raise ValueError(
            f"{readable_name(folder)}: {len(alone)} of the files in A and B have no partner of "
            f"the same name in the other folder, such as {readable_name(alone[0])}. Rename or "
            "remove them."
        )
    return [(files[0][stem], files[1][stem]) for stem in sorted(files[0])]


def _without_side(files: dict[str, Path], side: str) -> dict[str, Path]:
    """Return files by their names without an ending such as `_A`, where all have it."""
    ending = re.compile(f"[ ._-]{side}$", re.IGNORECASE)
    if not all(ending.search(stem) for stem in files):
        return files
    return {ending.sub("", stem): path for stem, path in files.items()}


def files_by_stem(folder: Path) -> dict[str, Path]:
    """Return the images of a folder, its sub-folders too, by their path in it without suffix.

    Args:
        folder: The folder.

    Raises:
        ValueError: If two files differ in nothing but their suffix.
    """
    files = {}
    for path in find_images(folder):
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in files:
            raise ValueError(
                f"{readable_name(files[stem])} and {readable_name(path)} differ in nothing but "
                "their suffix: which is the partner cannot be told. Rename one."
            )
        files[stem] = path
    return files
