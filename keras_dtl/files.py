"""Files that are either whole or absent: every write goes to a sibling first and is renamed.

And how files are named in messages, and that nothing but regular files is read: a pipe would be
waited for, a device has no end.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

# Of Linux: names are relative to the current folder, and are exchanged.
_CURRENT_FOLDER, _RENAME_EXCHANGE = -100, 2
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_AT_ONCE = 2**20  # bytes of a file that is read in one call of the system
_ABANDONED = 3600  # seconds without a change, after which nobody is writing any more
_TEMPORARY = re.compile(r"\.[0-9a-f]{8}\..")  # as `_sibling` names it
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
FilePath = str | os.PathLike[str]
"""What functions take as a path."""


def readable_name(path: FilePath) -> str:
    """Return `path` as text of one line that any terminal and any JSON file can hold.

    File names may hold line breaks and, on Linux, bytes that are no UTF-8: these are escaped.

    Args:
        path: A path, or a text.
    """
    text = os.fspath(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def is_no_room(error: BaseException | None) -> bool:
    """Whether an error says that nothing more can be written.

    Args:
        error: Any error, or `None`.
    """
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def resolved(path: FilePath) -> Path:
    """Return a path without links, as `Path.resolve`, of which any Python refuses a loop alike.

    Args:
        path: The file or folder; it may be absent.

    Raises:
        OSError: Links in it lead to themselves.
    """
    try:
        return Path(path).resolve()
    except RuntimeError as error:  # until Python 3.12
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), readable_name(path)) from error


@contextlib.contextmanager
def atomic_path(path: FilePath) -> Iterator[Path]:
    """Give a hidden sibling of `path` to write to, and rename it onto `path` at the end.

    The body may create a file or a folder at the path it is given. When the body raises, what
    it wrote is removed and an existing `path` stays as it was.

    Args:
        path: Where the finished file or folder shall be. Missing parents are made.

    Yields:
        The temporary `pathlib.Path`, which ends like `path`; nothing exists there yet.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _sibling(path)
    try:
        yield temporary
        _replace(temporary, path)
    finally:
        _remove(temporary)


def _sibling(path):
    return path.with_name(f".{secrets.token_hex(4)}.{path.name}")


def remove_abandoned(folder: FilePath) -> None:
    """Remove what processes that were killed have left of `atomic_path` in a folder.

    What was written to in the last hour stays: it may be in use.

    Args:
        folder: Where they wrote.
    """
    with contextlib.suppress(OSError):
        for path in Path(folder).iterdir():
            if _TEMPORARY.match(path.name) and time.time() - path.lstat().st_mtime > _ABANDONED:
                _remove(path)


def _replace(temporary, path):
    if temporary.is_dir() and path.is_dir():
        if _exchange(temporary, path):
            return
        # A folder cannot be renamed onto a full folder: the old one steps aside first.
        aside = _sibling(path)
        os.rename(path, aside)
        try:
            os.rename(temporary, path)
        except OSError:
            os.rename(aside, path)
            raise
        _remove(aside)
        return
    if temporary.is_file():
        # On disk before the name is: a power cut must not leave a whole name on half a file.
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
    os.replace(temporary, path)


def _exchange(one, other):
    """Give two folders each other's name in one step, so that there is never none.

    Returns:
        Whether the system and the file system can.
    """
    import ctypes  # for folders alone

    try:
        exchange = ctypes.CDLL(None).renameat2  # Linux, from glibc 2.28 on
    except (OSError, AttributeError, TypeError):
        return False
    places = (_CURRENT_FOLDER, os.fsencode(one), _CURRENT_FOLDER, os.fsencode(other))
    return exchange(*places, _RENAME_EXCHANGE) == 0


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_text(path: FilePath, text: str) -> None:
    """Write a text as UTF-8, whole or not at all.

    Args:
        path: The file; missing folders are made.
        text: Its content.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: FilePath, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all.

    Args:
        path: The file; missing folders are made.
        value: What `json` can write.

    Raises:
        TypeError: It cannot.
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def open_regular(path: FilePath) -> BinaryIO:
    """Open a file to read its bytes, unless it is a pipe, a device, a socket or a folder.

    Args:
        path: The file, or a link to it. It is never waited for.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    number, _ = _open_number(path)
    try:
        return os.fdopen(number, "rb")
    except OSError:
        os.close(number)
        raise


def _open_number(path):
    """Open a regular file; return its number for the system, and its size."""
    # Looked at before it is opened, which some devices take for a command, and after: what a
    # link leads to may have changed in between.
    _require_regular(os.stat(path).st_mode, path)
    number = os.open(path, _READ)
    try:
        status = os.fstat(number)
        _require_regular(status.st_mode, path)
    except OSError:
        os.close(number)
        raise
    return number, status.st_size


def _require_regular(mode, path):
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no regular file, but a pipe or a device", str(path))


def read_regular(path: FilePath, limit: int = 2**31) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: The file, or a link to it.
        limit: The most bytes that it may hold.

    Raises:
        OSError: It cannot be read, is no regular file, or holds more.
    """
    number, size = _open_number(path)
    try:
        # One byte more is asked for than there should be: where it does not come, that was all.
        data = os.read(number, size + 1) if 0 < size <= min(limit, _AT_ONCE) else b""
        if not data or len(data) != size:
            with os.fdopen(number, "rb", 0, closefd=False) as file:
                # Some files of the system are said to be empty and hold without end.
                data += file.read() if 0 < size <= limit else _read_most(file, limit)
    finally:
        os.close(number)
    if len(data) > limit or size > limit:
        raise OSError(errno.EFBIG, f"its {max(size, len(data))} bytes are more than {limit}")
    return data


def _read_most(file, limit):
    parts, left = [], limit + 1
    while left and (part := file.read(min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def sha256(path: FilePath) -> str:
    """Return the SHA-256 checksum of a file as 64 hexadecimal digits.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    digest = hashlib.sha256()
    with open_regular(path) as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
