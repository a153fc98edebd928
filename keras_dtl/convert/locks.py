"""One conversion at a time into a folder, also on drives that know no locks."""

import contextlib
import errno
import json
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from keras_dtl.convert.options import ConversionError
from keras_dtl.files import readable_name

# Errors of a lock that somebody else holds; all others say that there are none to be had.
_HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)

logger = logging.getLogger("keras_dtl")


@contextlib.contextmanager
def exclusive(state: Path, folder: Path) -> Iterator[None]:
    """Be the only conversion that writes to a folder.

    Where the drive knows no locks, as some of a network do not, a file names the process that
    writes: that is safe against other processes of this machine, and a warning says so.

    Args:
        state: The folder of the conversion's state.
        folder: The output folder, for messages.

    Raises:
        ConversionError: Another conversion writes to it.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    with open(state / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                raise _another(folder) from error
            with _owned(state / "owner.json", folder, error):
                yield
        else:
            yield


@contextlib.contextmanager
def _owned(path: Path, folder: Path, error: OSError) -> Iterator[None]:
    """Hold a file that names this process."""
    _claim(path, folder)
    logger.warning(
        "%s lies on a drive that knows no locks (%s). Conversions of this machine keep out of each "
        "other's way; do not start one into it from another machine.",
        readable_name(folder),
        error.strerror,
    )
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _claim(path: Path, folder: Path) -> None:
    for _ in range(3):
        try:
            with open(path, "x", encoding="utf-8") as file:
                json.dump({"host": socket.gethostname(), "process": os.getpid()}, file)
            return
        except FileExistsError:
            if not _is_left_behind(path):
                raise _another(
                    folder, f" If none is at work, remove {readable_name(path)}."
                ) from None
            path.unlink(missing_ok=True)
    raise _another(folder)


def _is_left_behind(path: Path) -> bool:
    """Whether the process that a file names ran on this machine and has ended."""
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        same_machine, process = owner["host"] == socket.gethostname(), int(owner["process"])
    except (OSError, ValueError, KeyError, TypeError):
        return False  # being written, or somebody else's
    if not same_machine:
        return False
    try:
        os.kill(process, 0)  # asks alone, and sends nothing
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _another(folder: Path, advice: str = "") -> ConversionError:
    return ConversionError(
        f"Another conversion is writing to {readable_name(folder)}. Wait for it, or choose "
        f"another folder.{advice}"
    )
