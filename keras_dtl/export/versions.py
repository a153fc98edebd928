"""Earlier versions of an artifact, which stay beside a new one until they are pruned."""

import os
import shutil
from pathlib import Path

from keras_dtl.manifest import FILE_NAME


def keep_versions(directory: Path, folder: Path, count: int | None = None) -> None:
    """Put the latest versions of an artifact into the folder that will take its place.

    Files are linked where the file system can, so that they take no room twice. The manifest
    that an old version was published with lies in its folder from then on.

    Args:
        directory: The artifact as it is; it may be absent.
        folder: What replaces it.
        count: How many versions stay at most; all by default.
    """
    kept = _versions(directory)
    kept = kept[max(0, len(kept) - count) :] if count is not None else kept
    for version in kept:
        shutil.copytree(version, folder / version.name, copy_function=_link)
    if kept and (directory / FILE_NAME).is_file() and not (kept[-1] / FILE_NAME).exists():
        shutil.copyfile(directory / FILE_NAME, folder / kept[-1].name / FILE_NAME)


def _versions(directory):
    """Return the version folders of an artifact, the oldest first."""
    folders = directory.iterdir() if directory.is_dir() else ()
    numbered = [path for path in folders if path.name.isdecimal() and path.is_dir()]
    return sorted(numbered, key=lambda path: int(path.name))


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
