"""Files that are either whole or absent: every write goes to a sibling first and is renamed."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path

PathLike = str | os.PathLike[str]
"""A file or a folder, however it is named."""


@contextlib.contextmanager
def atomic_path(path):
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


def _replace(temporary, path):
    if temporary.is_dir() and path.is_dir():
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


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_text(path, text):
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, value):
    """Write `value` to `path` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sha256(path):
    """Return the SHA-256 checksum of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
