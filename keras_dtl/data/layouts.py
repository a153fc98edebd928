"""How data sets lie in folders: the common names of splits, and of the two sides of pairs."""

import logging
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from keras_dtl.files import FilePath, readable_name
from keras_dtl.folders import is_system_name
from keras_dtl.images import find_images

SPLIT_NAMES = {
    "train": ("train", "training", "trn"),
    "validation": ("valid", "val", "validation", "dev", "development", "eval", "evaluation"),
    "test": ("test", "testing", "tst"),
}
"""What folders of a split are called, in small letters; each may end in set, data or images."""
SIDES = ("a", "b")

_ENDING = r"(?:[ _-]?(?:set|data|images?|imgs?))?"
_SPLIT = {
    role: re.compile(f"(?:{'|'.join(names)}){_ENDING}") for role, names in SPLIT_NAMES.items()
}
_SIDED = re.compile(r"(.+?)[ _-]?([ab])")
_SHORT = {"train": "tr", "validation": "va", "test": "ts"}


def _word(role: str) -> str:
    """Return the form of a split's word within a name: apart, or as in imagesTr and trainSmall."""
    words = sorted((*SPLIT_NAMES[role], _SHORT[role]), key=len, reverse=True)
    small, title, large = (
        "|".join(map(style, words)) for style in (str.lower, str.title, str.upper)
    )
    return f"(?P<{role}>(?<![a-zA-Z])(?:{small})s?|(?<![A-Z])(?:(?:{title})s?|(?:{large})S?))"


_WORD = re.compile(f"(?:{'|'.join(map(_word, SPLIT_NAMES))})(?![a-z])")

logger = logging.getLogger("keras_dtl")


def split_of(name: str) -> str | None:
    """Return which split a folder's name stands for: train, validation, test, or None.

    Args:
        name: Such as `valid`, `Testing` or `training_set`.
    """
    return next((role for role, form in _SPLIT.items() if form.fullmatch(name.lower())), None)


def sided_split_of(name: str) -> tuple[str, str] | None:
    """Return split and side of a folder's name such as `trainA` or `test_b`, or None.

    Args:
        name: Of the folder.
    """
    parts = _SIDED.fullmatch(name.lower())
    role = split_of(parts[1]) if parts else None
    return (role, parts[2]) if role else None


def split_roles(names: Iterable[str]) -> dict[str, str | None]:
    """Return which split each of the folders beside each other stands for, or None.

    Beside `train`, a folder `test1` is a split, too. Where no name is a split by itself, those are
    that differ in nothing but the word, such as `seg_train` and `seg_test`.

    Args:
        names: Of the folders.
    """
    names = list(names)
    roles = {name: split_of(name) for name in names}
    if any(roles.values()):
        return {name: role or split_of(_letters(name)) for name, role in roles.items()}
    groups = {}
    for name in names:
        word = _WORD.search(name)
        if word:
            rest = _letters(name[: word.start()] + name[word.end() :])
            groups.setdefault(rest, {})[name] = word.lastgroup
    alike = [group for group in groups.values() if {"train"} < set(group.values())]
    return {name: next((g[name] for g in alike if name in g), None) for name in names}


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalpha())


def visible_folders(folder: FilePath) -> dict[str, Path]:
    """Map name to path of the folders in `folder`, without hidden ones and those of systems.

    Args:
        folder: The folder.

    Raises:
        FileNotFoundError, NotADirectoryError: If it is none.
        ValueError: If two names differ in nothing but how their accents are written.
    """
    find_images(folder, recursive=False)  # says so if it is missing or a file
    folders = {}
    for path in sorted(Path(folder).iterdir()):
        if path.name.startswith(".") or is_system_name(path.name) or not path.is_dir():
            continue
        # Some systems store accents apart from letters: equal names must compare equal.
        name = unicodedata.normalize("NFC", readable_name(path.name))
        if name in folders:
            raise ValueError(
                f"{readable_name(folder)} holds two folders that are both called {name!r}, "
                "with accents written in two ways. Merge them."
            )
        folders[name] = path
    return folders


def split_folders(root: FilePath) -> dict[str, Path]:
    """Return the folders of the splits that a user made, by split; none where there are none.

    Beside `ROOT/train` and `ROOT/test`, under any of `SPLIT_NAMES`, it knows one side of
    `trainA trainB testA testB`, named as `ROOT/A`.

    Args:
        root: The folder.

    Raises:
        FileNotFoundError, NotADirectoryError: If it is none.
        ValueError: If a split is there beside folders that are none, twice, or without train.
    """
    root = Path(root)
    if not root.exists() and root.name.lower() in SIDES and root.parent.is_dir():
        sided = sided_folders(root.parent).get(root.name.lower(), {})
        if sided:
            return _with_train(sided, root.parent)
    folders = visible_folders(root)
    if _sided_names(folders):
        raise ValueError(
            f"{readable_name(root)} holds two domains, {_list(folders)}. Name one of them: "
            f"{readable_name(root)}/A or {readable_name(root)}/B."
        )
    roles = split_roles(folders)
    if not any(roles.values()) or _has_class_train(roles, folders):
        return {}
    unknown = [name for name, role in roles.items() if role is None]
    if unknown:
        splits = [name for name, role in roles.items() if role]
        raise ValueError(
            f"{readable_name(root)} holds {_list(splits)}, by {_plural(splits, 'its', 'their')} "
            f"name a split, beside {_list(unknown)}, which is none. Move {_list(unknown)} "
            f"elsewhere; or, if {_list(splits)} is a class, rename it."
        )
    return _with_train(_one_each((roles[name], folders[name]) for name in folders), root)


def sided_folders(root: FilePath) -> dict[str, dict[str, Path]]:
    """Return the folders of two domains by side, "a" and "b", and by split.

    It knows `A/train A/test B/train B/test` and `trainA trainB testA testB` (or `train_A`).

    Args:
        root: The folder.

    Returns:
        `{side: {split: folder}}`, empty where the folder is not of this form.

    Raises:
        ValueError: If other folders lie beside them, or the sides differ in their splits.
    """
    folders = visible_folders(root)
    named = {name.lower(): path for name, path in folders.items()}
    if set(SIDES) <= set(named):
        return _splits_of_sides(Path(root), named)
    found = {name: sided_split_of(name) for name in folders}
    if not _sided_names(folders):
        return {}
    unknown = [name for name, place in found.items() if place is None]
    if unknown:
        raise ValueError(
            f"{readable_name(root)} holds {_list(unknown)} beside folders such as trainA. Move "
            "it elsewhere."
        )
    sides = {}
    for side in SIDES:
        places = [(found[name][0], folders[name]) for name in folders if found[name][1] == side]
        sides[side] = _one_each(places)
    return _alike(Path(root), sides)


def _sided_names(names: Iterable[str]) -> list[str]:
    """Return the names such as `trainA`; one alone such as testa or deva is but a word."""
    names = list(names)
    sided = [name for name in names if sided_split_of(name)]
    is_word = len(sided) == 1 < len(names) and sided[0].isalpha() and not sided[0][1:].isupper()
    return [] if is_word and sided[0][-1].islower() else sided


def _splits_of_sides(root: Path, named: dict[str, Path]) -> dict[str, dict[str, Path]]:
    sides = {side: split_folders(named[side]) for side in SIDES}
    if not any(sides.values()):
        return {}
    others = sorted(set(named).difference(SIDES))
    if others:
        raise ValueError(
            f"{readable_name(root)} holds {_list(others)} beside A and B. Move it elsewhere."
        )
    return _alike(root, sides)


def _alike(root: Path, sides: dict[str, dict[str, Path]]) -> dict[str, dict[str, Path]]:
    if set(sides["a"]) != set(sides["b"]):
        raise ValueError(
            f"{readable_name(root)}: A has the splits {_list(sides['a'])}, and B "
            f"{_list(sides['b'])}. Give both the same."
        )
    return sides


def test_folder(root: FilePath, splits: dict[str, Path]) -> Path:
    """Return the folder that is tested on: that of the split test, else of validation.

    Args:
        root: The data set, for the message.
        splits: As `split_folders` returns them.

    Raises:
        ValueError: If there is neither.
    """
    for role in ("test", "validation"):
        if role in splits:
            return splits[role]
    raise ValueError(
        f"{readable_name(root)}: there is a folder {splits['train'].name} but none called test. "
        "Add one, or move what is in it up beside each other to have a share of it split off."
    )


def _with_train(splits: dict[str, Path], root: Path) -> dict[str, Path]:
    if "train" not in splits:
        names = [path.name for path in splits.values()]
        raise ValueError(
            f"{readable_name(root)} holds {_list(names)}, by name a split, but no folder train. "
            "Add train/, or rename the folder if it is a class."
        )
    return splits


def _one_each(places: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """Return the folder of each split, of which there must be one."""
    splits = {}
    for role, path in places:
        if role in splits:
            raise ValueError(
                f"{readable_name(splits[role])} and {readable_name(path)} are two folders of one "
                f"split, {role}. Merge them, or move one elsewhere."
            )
        splits[role] = path
    return splits


def _has_class_train(roles: dict[str, str | None], folders: dict[str, Path]) -> bool:
    """Whether `train` is a vehicle: images directly in it as in two or more other folders."""
    names = [name for name, role in roles.items() if role]
    if len(names) != 1 or roles[names[0]] != "train" or len(folders) < 3:
        return False
    if any(visible_folders(path) for path in folders.values()):
        return False
    if not all(find_images(path, recursive=False) for path in folders.values()):
        return False
    logger.warning(
        "%s is taken for a class, as it lies among %d other folders of images.",
        readable_name(folders[names[0]]),
        len(folders) - 1,
    )
    return True


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _plural(names: list, one: str, more: str) -> str:
    return one if len(names) == 1 else more
