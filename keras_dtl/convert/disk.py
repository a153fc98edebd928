"""A disk on which there is no room, which ends a conversion at once."""

import contextlib
from collections.abc import Iterator

from keras_dtl.files import is_no_room


class DiskFull(OSError):
    """Nothing more can be written: all other images would fail, too."""


@contextlib.contextmanager
def no_room_is_fatal() -> Iterator[None]:
    """Turn the errors of a full disk into `DiskFull`."""
    try:
        yield
    except OSError as error:
        if is_no_room(error):
            raise DiskFull(error.errno, error.strerror, error.filename) from error
        raise
