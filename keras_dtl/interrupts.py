"""Ctrl-C ends a command with the status 130 at whatever moment it comes.

While libraries are imported an exception may come out as any other one, and after the last line of
Python has run the system would end the process as it ends what knows no Ctrl-C. Standard library
only: this is imported before anything else.
"""

import atexit
import contextlib
import os
import signal
from collections.abc import Iterator

INTERRUPTED = 130


def is_main_thread() -> bool:
    """Whether this thread is the one that may say what becomes of signals."""
    import threading  # which takes longer than all the rest: Ctrl-C may come meanwhile

    return threading.current_thread() is threading.main_thread()


def stop_command() -> None:
    """Let Ctrl-C end this process at once, from now on until `raising`, and when it has ended."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        with contextlib.suppress(ValueError):  # in another thread than the main one
            signal.signal(signal.SIGINT, _stop)
        # What is registered first is called last: the status is known by then.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def stop_at_once() -> Iterator[None]:
    """Be the context of imports and the like, which Ctrl-C ends with the whole process.

    Nothing has been begun yet that would have to be left in good order.
    """
    with _handler(_stop):
        yield


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Be the context of a command's work, in which Ctrl-C is `KeyboardInterrupt`."""
    with _handler(signal.default_int_handler):
        yield


def forget_interrupt() -> None:
    """Let this process end with its own status after a `KeyboardInterrupt` that was answered.

    Python notes that one went through `exec`, as under each dataclass and named tuple that is
    being made, and then ends itself by SIGINT whatever became of it. The next `exec` notes anew.
    """
    exec("")  # noqa: S102 (a constant)


@contextlib.contextmanager
def _handler(handler):
    if not is_main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _stop(number, frame):
    os.write(2, b"\nStopped.\n")
    os._exit(INTERRUPTED)
