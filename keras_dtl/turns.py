"""One writer at a time: others wait for their turn, or are told who is at work."""

import contextlib
import errno
import logging
import os
import time
from collections.abc import Iterator

from keras_dtl.files import FilePath, readable_name, resolved

_HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES)
"""Errors of a lock that somebody else holds; all others say that there are none to be had."""
_PAUSE = 0.1  # seconds between two looks

logger = logging.getLogger("keras_dtl")


@contextlib.contextmanager
def turn(path: FilePath, what: str, waits: bool = True) -> Iterator[None]:
    """Be the only one that writes a file or folder, of all threads and processes that ask.

    A hidden file beside it, `.NAME.lock`, is locked meanwhile and removed at the end. The lock of
    a process that was killed is free at once. Where there are no locks, as on Windows, on some
    network drives and where the file cannot be made, nobody waits for anybody.

    Args:
        path: What is written; missing folders above it are made.
        what: What writes, for messages, such as `"export"`.
        waits: Whether to wait for the turn, which is said once.

    Raises:
        BlockingIOError: Somebody else writes it, and `waits` is false.
        OSError: Folders above it cannot be made.
    """
    path = resolved(path)  # one place, whichever links lead to it
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    number = _locked(lock, path, what, waits)
    try:
        yield
    finally:
        if number is not None:
            with contextlib.suppress(OSError):
                lock.unlink()  # while it is held: who waits for it looks for a new one
            os.close(number)


def _locked(lock, path, what, waits):
    """Return the number of the open lock once it is ours; `None` where there are no locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    is_said = False
    # To be read alone: that may be the file that a killed process of somebody else has left.
    flags = os.O_RDONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW
    while True:
        try:
            number = os.open(lock, flags, 0o666)
        except OSError:  # who writes beside it says what is wrong there
            return None
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(number)
            if error.errno not in _HELD:
                lock.unlink(missing_ok=True)
                return None
        else:
            if _is_still(lock, number):
                return number
            os.close(number)
            continue
        if not waits:
            raise BlockingIOError(
                f"Another {what} is writing to {readable_name(path)}. Wait for it, or choose "
                "another folder."
            )
        if not is_said:
            logger.warning("Another %s is writing to %s: waiting.", what, readable_name(path))
            is_said = True
        time.sleep(_PAUSE)


def _is_still(lock, number):
    """Whether a name still leads to the open file: who had it before has removed it."""
    try:
        return os.path.samestat(lock.stat(), os.fstat(number))
    except FileNotFoundError:
        return False
