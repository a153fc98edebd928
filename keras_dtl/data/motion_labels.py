"""Action and style of the motion files in a folder: by a table, by folders, or by their names."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from keras_dtl.data.summary import IN_LINES
from keras_dtl.data.tables import read_table
from keras_dtl.files import readable_name
from keras_dtl.folders import find_files, find_other_files

logger = logging.getLogger("keras_dtl")

TABLE = "clips.csv"
"""Names the files of a folder with their action and style."""
SUFFIX = ".bvh"
WAY_OUT = (
    f"Tell them in a table {TABLE} with the columns file, action and style, or sort the files into "
    "folders ACTION/STYLE/"
)
_LETTER = re.compile(r"[^\W\d_]")
_NUMBER = re.compile(r"\d+")


class Labels(NamedTuple):
    """What a folder tells of its files."""

    found: dict[Path, tuple[str, str]]
    """Action and style by file."""
    missing: dict[Path, str]
    """Why a file has none."""
    source: str
    """`"table"`, `"folders"` or `"names"`; the last is a guess."""


def motion_files(folder: Path) -> list[Path]:
    """Return the BVH files in a folder and its sub-folders, in order.

    Args:
        folder: The folder.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: It holds none.
    """
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {readable_name(folder)}.")
    paths = find_files(folder, {SUFFIX}) if folder.is_dir() else []
    if not paths:
        raise ValueError(f"{readable_name(folder)} holds no {SUFFIX} files. Check the path.")
    return paths


def other_files(folder: Path) -> list[Path]:
    """Return the files in a folder and its sub-folders that are no BVH files, but for the table.

    Args:
        folder: The folder.
    """
    return [path for path in find_other_files(folder, {SUFFIX}) if path != folder / TABLE]


def motion_labels(folder: Path, paths: Sequence[Path]) -> Labels:
    """Return action and style of each file.

    The table comes first, then folders, `ACTION/STYLE/*.bvh`. Else both are guessed from names:
    `*_ACTION_STYLE_NUMBER.bvh`, or `STYLE/STYLE_ACTION.bvh`.

    Args:
        folder: The folder.
        paths: The files in it.

    Raises:
        ValueError: The table lacks a column, or names of files or folders would make numbers into
            actions or styles.
    """
    table = _read_table(folder / TABLE)
    found, missing, guessed = {}, {}, []
    alone = len({path.parent for path in paths}) == 1
    for path in paths:
        inside = path.relative_to(folder).parts
        if table is not None:
            labels, reason = table.get("/".join(inside)), f"{TABLE} tells no action and style of it"
        elif len(inside) >= 3:
            labels, reason = inside[-3:-1], ""
        else:
            labels, reason = _guess(path, inside, alone)
            guessed += [path] if labels else []
        if labels and all(labels):
            found[path] = tuple(labels)
        else:
            missing[path] = reason
    if table is None:
        _refuse_numbers(folder, found)
        _refuse_numbered(folder, [found[path] for path in guessed])
        _say_guesses({path: found[path] for path in guessed})
    source = "table" if table is not None else "names" if guessed else "folders"
    return Labels(found, missing, source)


def _read_table(path: Path) -> dict[str, tuple[str, str]] | None:
    """Return `{file: (action, style)}`, or None where there is no table."""
    if not path.is_file():
        return None
    rows = read_table(path, ("file", "action", "style"))
    return {row["file"]: (row["action"], row["style"]) for row in rows}


def _guess(path: Path, inside: tuple[str, ...], alone: bool) -> tuple[tuple[str, str] | None, str]:
    """Return action and style or None, and why there are none."""
    words = path.stem.split("_")
    if len(inside) == 2 and words[0] == inside[0] and len(words) > 1:
        return ("_".join(words[1:]), inside[0]), ""
    if len(inside) == 2 and not alone:
        return None, f"the folder {inside[0]} tells either its action or its style, not both"
    if len(words) < 3 or not words[-1].isdigit():
        return None, f"its name tells no action and style; expected ..._ACTION_STYLE_NUMBER{SUFFIX}"
    return (words[-3], words[-2]), ""


def _refuse_numbers(folder: Path, found: dict[Path, tuple[str, str]]) -> None:
    """Refuse actions and styles without a letter: those are numbers of subjects and of takes."""
    for path, (action, style) in found.items():
        if not (_LETTER.search(action) and _LETTER.search(style)):
            raise ValueError(
                f"{folder} tells no actions and styles: by its name, {path.relative_to(folder)} "
                f"would be of the action {action!r} and the style {style!r}, and numbers are "
                f"neither. {WAY_OUT}."
            )


def _refuse_numbered(folder: Path, guesses: list[tuple[str, str]]) -> None:
    """Refuse guesses that differ in a number alone, such as take1 and take2."""
    for place, kind in enumerate(("actions", "styles")):
        names = [guess[place] for guess in guesses]
        stems = {_NUMBER.sub("", name) for name in names}
        if len(set(names)) > 1 and len(stems) == 1 and all(map(_NUMBER.search, names)):
            listed = ", ".join(sorted(set(names))[:5])
            raise ValueError(
                f"{folder} tells no actions and styles: by the names of its files the {kind} "
                f"would be {listed}, which differ in a number alone. {WAY_OUT}."
            )


def _say_guesses(guesses: dict[Path, tuple[str, str]]) -> None:
    if not guesses:
        return
    first = next(iter(guesses))
    actions, styles = (", ".join(sorted(set(kind))) for kind in zip(*guesses.values(), strict=True))
    logger.warning(
        "Actions and styles are guessed from file names (%s: action %s, style %s). Actions: %s. "
        "Styles: %s. %s if that is wrong.",
        *(first.name, *guesses[first], actions, styles, WAY_OUT),
        extra=IN_LINES,
    )
