"""From the words on a command line to an exit status: what all verbs share."""

import dataclasses
import errno
import os
import re
import sys
import traceback
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

from keras_dtl.files import is_no_room, readable_name
from keras_dtl.interrupts import INTERRUPTED, raising, stop_at_once

SUCCESS, PARTLY, FAILED = 0, 1, 2
MENDABLE = (ValueError, OSError, ArithmeticError, ImportError)
"""Errors that a user can mend, told in one line; all others are defects."""


def run(
    arguments_class: type,
    main: Callable[[Any], int],
    argv: Sequence[str] | None = None,
    prog: str | None = None,
    parse: Callable[..., Any] | None = None,
) -> int:
    """Parse a command line, call `main` with it and return the exit status.

    What a user can mend is told in one line on standard error; `KERAS_DTL_TRACEBACK=1` shows
    where it came from. A defect of this package shows its traceback as it is.

    Args:
        arguments_class: Dataclass whose fields are the flags, or a union of them.
        main: Function from an instance of it to an exit status.
        argv: Words of the command line; those of this process by default.
        prog: Name of the command in its help.
        parse: `parse(argv, prog)`, which takes the place of parsing by the class.

    Returns:
        0 when all is done, 1 when part of it failed, 2 when nothing could be done, 130 after
        Ctrl-C.
    """
    parsed = None
    try:
        with stop_at_once():
            import tyro
        with raising():
            spell_unions(arguments_class)
            parsed = parse(argv, prog) if parse else tyro.cli(arguments_class, args=argv, prog=prog)
            status = main(parsed)
            sys.stdout.flush()  # while whoever reads it may still be told
            return status
    except BrokenPipeError:  # a reader such as `head` has gone
        raise
    except (KeyboardInterrupt, *MENDABLE) as error:
        return tell(error, parsed)


def spell_unions(arguments_class: Any) -> None:
    """Write `X | None` as `typing.Union` in the annotations of a dataclass, and of those in it.

    The one tyro tells by itself. For the other it imports a checker of types, and with it asyncio,
    which takes as long as a third of all else that a short verb imports.

    Args:
        arguments_class: The dataclass; anything else is left as it is.
    """
    if not dataclasses.is_dataclass(arguments_class):
        return
    for one in arguments_class.__mro__:
        hints = vars(one).get("__annotations__", {})
        hints |= {name: _spelled(kind) for name, kind in hints.items()}


def _spelled(kind):
    if typing.get_origin(kind) is typing.Annotated:
        inner, *marks = typing.get_args(kind)
        spell_unions(inner)
        return typing.Annotated[(_spelled(inner), *marks)]
    if isinstance(kind, types.UnionType):
        return typing.Union[typing.get_args(kind)]  # noqa: UP007 (what this is for)
    return kind


def tell(error, arguments: Any = None):
    """Print an error as a user shall see it and return the exit status.

    Args:
        error: The exception.
        arguments: What was parsed, whose flags are named where the error names their fields.
    """
    if isinstance(error, KeyboardInterrupt):
        print("\nStopped.", file=sys.stderr)
        return INTERRUPTED
    if os.environ.get("KERAS_DTL_TRACEBACK") or not isinstance(error, MENDABLE):
        traceback.print_exception(error)
    if isinstance(error, MENDABLE):
        # Names in it may come from anywhere, and hold what commands a terminal.
        words = _in_flags(_without_way(_words(error)), arguments)
        lines = f"error: {words}{_remedy(error)}".split("\n")
        print(*map(readable_name, lines), sep="\n", file=sys.stderr)
        return FAILED
    return PARTLY


def _words(error: BaseException) -> str:
    """Return what an error says; of the system's, the fault and the file, without its number."""
    if not isinstance(error, OSError) or error.strerror is None or error.filename is None:
        return str(error)
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return f"{error.strerror}: {' -> '.join(map(repr, names))}"


def _without_way(text: str) -> str:
    """Return what a function of a graph raised, without where, which TensorFlow puts before."""
    if not text.startswith("in user code:"):
        return text
    return re.split(r"\n\s+\w+Error: ", text)[-1].strip()


def _in_flags(text: str, arguments: Any) -> str:
    """Name flags where a message names arguments of a function: `precisions` is --precision."""
    if not dataclasses.is_dataclass(arguments):
        return text
    from keras_dtl.cli.flags import flags_of

    for flag in flags_of(type(arguments)):
        if not flag.is_positional:
            text = re.sub(rf"`{flag.field}s?`", flag.name, text)
    return text


def _remedy(error: Exception) -> str:
    """Say how to install what the light installation leaves out, and how to go on elsewhere."""
    if isinstance(error, PermissionError) and error.filename is not None:
        return ". Whoever runs this has no right to it. Change its rights, or name another place."
    if is_no_room(error):
        first = "Make it writable" if error.errno == errno.EROFS else "Make room"
        return (
            f". What is finished is kept. {first} and give the same command again; trainings, "
            "adaptations and style transfers go on with --resume."
        )
    if not isinstance(error, ModuleNotFoundError):
        return ""
    return (
        '. The light installation converts and no more: `pip install "keras_dtl[train,cpu]"` '
        "adds what all other verbs need."
    )
