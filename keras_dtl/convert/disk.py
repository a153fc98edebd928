"""A disk on which there is no room, which ends a conversion at once."""

import contextlib
import errno
from collections.abc import Iterator


class DiskFull(OSError):
    """Nothing more can be written: all other images would fail, too."""


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


@contextlib.contextmanager
def no_room_is_fatal() -> Iterator[None]:
    """Turn the errors of a full disk into `DiskFull`."""
    try:
        yield
    except OSError as error:
        if is_no_room(error):
            raise DiskFull(error.errno, error.strerror, error.filename) from error
        raise


def is_no_room(error: BaseException | None) -> bool:
    """Whether an error says that nothing more can be written."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM
