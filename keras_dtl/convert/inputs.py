"""Which files to convert: one, a tree of folders, a pattern, or a list."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from keras_dtl.convert.items import Item
from keras_dtl.convert.options import ConversionError
from keras_dtl.convert.report import Failure, LeftOut, left_out_lines
from keras_dtl.convert.tasks.image_task import ImageTask
from keras_dtl.convert.tasks.task import Task
from keras_dtl.files import FilePath, readable_name
from keras_dtl.folders import find_other_files, split_files


def find_items(
    source: FilePath | Sequence[FilePath], recursive: bool = True, task: type[Task] = ImageTask
) -> tuple[list[Item], list[Failure]]:
    """List the files of a conversion.

    Args:
        source: Path of a file or a folder, a pattern such as `"photos/**/*.jpg"`, or a list of
            paths. Folders are searched for files that the task takes; whatever else is named is
            taken.
        recursive: Whether the sub-folders of a folder are searched, too.
        task: Class of the task, which says what is searched for.

    Returns:
        A list of `Item`s, and a list with a `Failure` for each folder that cannot be listed.

    Raises:
        ConversionError: There is none.
        OSError: The source is not there.
    """
    return _list(source, recursive, task)[:2]


def find_inputs(
    source: FilePath | Sequence[FilePath], recursive: bool = True, task: type[Task] = ImageTask
) -> tuple[list[Item], list[Failure], tuple[LeftOut, ...]]:
    """List the files of a conversion, and those that it leaves out, in one look at the folder.

    Args:
        source, recursive, task: As for `find_items`, which raises the same errors.

    Returns:
        What `find_items` returns, and what `find_left_out` does.
    """
    items, failures, others = _list(source, recursive, task)
    return items, failures, _left_out(others, task)


def _list(source, recursive, task):
    """Return items, failures, and the paths that are left out."""
    if isinstance(source, (list, tuple)):
        paths = list(dict.fromkeys(Path(path) for path in source))
        if not paths:
            raise ConversionError("The list of files is empty; there is nothing to convert.")
        return _number(paths, _common_folder(paths)), [], []
    text = os.fspath(source)
    # A file of that very name comes first: brackets are common in names.
    if glob.has_magic(text) and not Path(text).exists():
        return _match(text), [], []
    return _in_tree(Path(source), recursive, task)


def find_left_out(
    source: FilePath | Sequence[FilePath], recursive: bool = True, task: type[Task] = ImageTask
) -> tuple[LeftOut, ...]:
    """List the files of a folder that `find_items` passes over.

    Args:
        source, recursive, task: As for `find_items`; of anything but a folder there are none.
    """
    if isinstance(source, (list, tuple)) or not Path(source).is_dir():
        return ()
    return _left_out(find_other_files(source, task.suffixes, recursive), task)


def _left_out(paths, task):
    return tuple(LeftOut(path, *task.reason_left_out(path)) for path in map(Path, paths))


def leave_out_outputs(items: list[Item], source: FilePath, destination: FilePath) -> list[Item]:
    """Return the items that do not lie in the output, to which a link in a folder may lead.

    Args:
        items: What `find_items` found in a folder.
        source: That folder.
        destination: The folder to write to.
    """
    output = os.path.realpath(destination)
    if _lies_in(source, output):
        return items
    folders = [os.fspath(item.place).rpartition(os.sep)[0] or os.sep for item in items]
    inside = {folder for folder in set(folders) if _lies_in(folder, output)}
    if not inside:
        return items
    left = [item for item, folder in zip(items, folders, strict=True) if folder not in inside]
    return [item._replace(index=index) for index, item in enumerate(left)]


def _lies_in(folder, output):
    return Path(os.path.realpath(folder)).is_relative_to(output)


def _match(pattern):
    """Return the `Item`s that a pattern stands for, named from its last folder without signs."""
    paths = [Path(path) for path in sorted(glob.iglob(pattern, recursive=True))]  # noqa: PTH207
    paths = [path for path in paths if not path.is_dir()]
    if not paths:
        raise ConversionError(f"No file fits the pattern {readable_name(pattern)}. Check the path.")
    folder = Path(pattern)
    while glob.has_magic(os.fspath(folder)):
        folder = folder.parent
    return _number(paths, folder)


def _in_tree(source, recursive, task):
    if source.is_file():
        return [Item(0, source, source.name)], [], []
    failures = []
    paths, others = split_files(
        source,
        task.suffixes,
        recursive,
        on_error=lambda error: failures.append(Failure(Path(error.filename), error.strerror)),
    )
    if not paths and not failures:
        lines = left_out_lines(_left_out(others, task))
        raise ConversionError(
            "\n".join([f"{readable_name(source)} holds {task.none_found}", *lines])
        )
    return _number(paths, source), failures, others


def _common_folder(paths):
    """Return the folder from which the names of listed files are counted.

    The current one where all of them lie below it, so that names do not depend on the list.
    """
    absolute = [os.path.abspath(path) for path in paths]  # noqa: PTH100 (links are kept)
    here = os.getcwd()  # noqa: PTH109
    try:
        if os.path.commonpath([here, *absolute]) == here:
            return Path(here)
        return Path(os.path.commonpath([os.path.dirname(path) for path in absolute]))  # noqa: PTH120
    except ValueError as error:
        raise ConversionError("The listed files lie on different drives.") from error


def _number(paths, folder):
    folder = os.fspath(folder)
    prefix = os.path.join(folder, "")  # noqa: PTH118 (ends with a separator)
    return [
        Item(index, path, _name(path, folder, prefix))
        for index, path in enumerate(map(os.fspath, paths))
    ]


def _name(path, folder, prefix):
    inside = path.startswith(prefix) and os.pardir not in path
    name = path[len(prefix) :] if inside else os.path.relpath(path, folder)
    return name.replace(os.sep, "/")


def parse_paths(data: bytes) -> list[Path]:
    """Return the paths that a list of names holds, one a line or ended by zero bytes.

    Args:
        data: Bytes, as standard input gives them.
    """
    separator = b"\0" if b"\0" in data else b"\n"
    names = (name.removesuffix(b"\r") for name in data.split(separator))
    return [Path(os.fsdecode(name)) for name in names if name]
