"""How folders are searched for files, what of them is named, and which may be written to."""

import collections
import errno
import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from keras_dtl.files import FilePath, readable_name, resolved
from keras_dtl.manifest import FILE_NAME

MOST_NAMED = 20
"""Classes and files that are left out are listed up to so many."""


def find_files(
    folder: FilePath,
    suffixes: Collection[str],
    recursive: bool = True,
    on_error: Callable[[OSError], None] | None = None,
) -> list[Path]:
    """List the files of a folder that have one of some suffixes.

    Hidden files and folders are left out, and folders of systems such as `__MACOSX`. Links to
    folders are followed, but never in a loop.

    Args:
        folder: The folder to search.
        suffixes: Such as `{".png"}`, in small letters; those of files may be in capitals.
        recursive: Whether to search its sub-folders too.
        on_error: Called with the `OSError` of each sub-folder that cannot be listed. By
            default the error is raised.

    Returns:
        A sorted list of `pathlib.Path`, each beginning with `folder`.

    Raises:
        FileNotFoundError: There is no such folder.
        NotADirectoryError: It is a file.
    """
    return [Path(path) for path in split_files(folder, suffixes, recursive, on_error)[0]]


def find_other_files(
    folder: FilePath, suffixes: Collection[str], recursive: bool = True
) -> list[Path]:
    """List the files of a folder that `find_files` passes over because of their names.

    Hidden files are left out, and those that systems leave in every folder. So are folders
    that cannot be listed, which `find_files` reports.

    Args:
        folder, suffixes, recursive: As for `find_files`.

    Returns:
        A sorted list of `pathlib.Path`, each beginning with `folder`.
    """
    others = split_files(folder, suffixes, recursive, lambda error: None)[1]
    return [Path(path) for path in others]


def split_files(
    folder: FilePath,
    suffixes: Collection[str],
    recursive: bool = True,
    on_error: Callable[[OSError], None] | None = None,
) -> tuple[list[str], list[str]]:
    """List the files of a folder once, for both: what `find_files` returns, and the others.

    Args:
        folder, suffixes, recursive, on_error: As for `find_files`, which raises the same errors.

    Returns:
        The list of `find_files` and that of `find_other_files`, as texts: of very many files it
        takes far longer to make a `Path` of each than to find it.
    """
    found, others = [], []
    for path, name in _walk(os.fspath(_require_folder(folder)), recursive, on_error):
        if suffix_of(name) in suffixes:
            found.append(path)
        elif not is_system_name(name):
            others.append(path)
    return found, others


def is_system_name(name: str) -> bool:
    """Whether a file or folder is one that systems leave behind, such as `Thumbs.db`.

    Args:
        name: Its name.
    """
    return name.lower() in _SYSTEM_NAMES


_SYSTEM_NAMES = frozenset(
    ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin")
) | {"system volume information", "lost+found"}


def require_output_folder(folder: FilePath, name: str = "The output") -> None:
    """Refuse a folder to write to that cannot be one, before the work begins.

    Args:
        folder: The folder; it may be absent, and those above it.
        name: What the user calls it, such as a flag.

    Raises:
        NotADirectoryError: It, or what should be a folder above it, is a file or a link to nothing.
        OSError: Nothing may be written there.
    """
    for place in (Path(folder), *Path(folder).parents):
        if os.path.isdir(place):
            return _require_writable(place)
        if os.path.lexists(place):
            part = "which" if place == Path(folder) else f"of which {readable_name(place)}"
            kind = "a file" if place.exists() else "a link that leads nowhere"
            raise NotADirectoryError(
                f"{name} must be a folder. Received: {readable_name(folder)}, {part} is {kind}. "
                "Name another one, or move that away."
            )


def _require_writable(folder):
    if os.access(folder, os.W_OK):
        return
    is_read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
    number = errno.EROFS if is_read_only else errno.EACCES
    raise OSError(number, os.strerror(number), readable_name(folder))


def require_artifact_folder(folder: FilePath, name: str = "The artifact") -> None:
    """Refuse a folder whose place an artifact cannot take, before the work begins.

    Args:
        folder: The folder; it may be absent, and those above it.
        name: What the user calls it, such as a flag.

    Raises:
        FileExistsError: It holds something else, which is not replaced.
        NotADirectoryError: It, or what should be a folder above it, is a file or a link to nothing.
        OSError: Nothing may be written there, or another file system begins there.
    """
    require_output_folder(folder, name)
    path = resolved(folder)
    require_output_folder(path.parent, name)  # where its successor is written
    if not path.is_dir():
        return
    if os.path.ismount(path):
        raise OSError(
            f"{name} is replaced as a whole, and {readable_name(folder)}, where a file system "
            "begins, cannot be. Name a folder in it."
        )
    if any(path.iterdir()) and not (path / FILE_NAME).is_file():
        raise FileExistsError(
            f"{name} must be a new or empty folder, or an artifact. Received: "
            f"{readable_name(folder)}, which holds something else and is not replaced. Name "
            "another one, or remove it."
        )


def _require_folder(folder):
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {readable_name(folder)}. Check the path.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{readable_name(folder)} is a file, not a folder.")
    return folder


def _walk(folder, recursive, on_error, ancestors=()):
    """Yield path and name of the files below a folder, sorted, with little work for each."""
    try:
        place = os.path.realpath(folder)
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        if on_error is None:
            raise
        on_error(error)
        return
    for entry in sorted(visible, key=lambda entry: entry.name):
        if _holds(entry.is_dir):
            if (
                recursive
                and not is_system_name(entry.name)
                and os.path.realpath(entry) not in (*ancestors, place)
            ):
                below = (*ancestors, place)
                yield from _walk(entry.path, recursive, on_error, below)
        elif _holds(entry.is_file) or entry.is_symlink():
            # A broken link is listed, so that somebody reports it; a pipe or socket is not.
            yield entry.path, entry.name


def suffix_of(name: str) -> str:
    """Return the suffix of a file's name, in small letters, such as `".png"`.

    Args:
        name: Of the file.
    """
    stem, _, end = name.rpartition(".")
    return f".{end}".lower() if stem.strip(".") else ""


def join_names(names: Iterable[object], most: int = MOST_NAMED) -> str:
    """Return the first of some names, and how many more there are.

    Args:
        names: Of anything.
        most: How many are named.
    """
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def left_out_lines(files: Iterable[tuple[str, str]], most: int = MOST_NAMED) -> list[str]:
    """Return a line for each reason why files are left out: how many, and the first by name.

    Args:
        files: `(name, reason)` of each.
        most: How many of each reason are named.
    """
    reasons = collections.defaultdict(list)
    for name, reason in files:
        reasons[reason].append(name)
    return [
        f"left out: {len(names)} ({reason}): {join_names(names, most)}"
        for reason, names in reasons.items()
    ]


def _holds(question):
    """Ask an entry of a folder what it is; links in a loop are nothing."""
    try:
        return question()
    except OSError:
        return False
