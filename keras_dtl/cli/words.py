"""Words of a command line that are answered before anything is loaded: help, and mistakes."""

import difflib
import typing
from collections.abc import Iterable, Mapping, Sequence

from keras_dtl.cli.flags import flags_of
from keras_dtl.cli.help import help_of

HELP = ("-h", "--help")


def answer(
    arguments_class: typing.Any,
    words: Sequence[str],
    prog: str,
    others: Mapping[str, type] | None = None,
) -> tuple[str, int] | None:
    """Return a text and an exit status where words ask for help or hold a mistake, else None.

    Args:
        arguments_class: Dataclass of the verb's arguments, or a union of named ones.
        words: What follows the verb.
        prog: The command so far, such as `keras-dtl train`.
        others: The named dataclasses that could have been chosen in its place.
    """
    if members := members_of(arguments_class):
        return _answer_of_members(members, words, prog)
    if any(word in HELP for word in words):
        return help_of(arguments_class, prog), 0
    flags = flags_of(arguments_class)
    several = [flag.name for flag in flags if flag.value.endswith(" ...")]
    known = [flag.name for flag in flags]
    return unknown_flag(known, words, prog, others) or repeated_flag(several, words, prog)


def members_of(arguments_class: typing.Any) -> dict[str, type]:
    """Return `{name: dataclass}` of a union of named ones; nothing of any other class."""
    return {
        part.__metadata__[0].name: part.__origin__
        for part in typing.get_args(arguments_class)
        if typing.get_origin(part) is typing.Annotated
    }


def _answer_of_members(members: dict[str, type], words: Sequence[str], prog: str):
    if not words or words[0] in HELP:
        names = "\n".join(f"  {name:14} {_first_line(one)}" for name, one in members.items())
        text = f"usage: {prog} NAME [options]\n\n{names}\n\n{prog} NAME --help says more."
        return text, 0 if words else 2
    name, *rest = words
    if name.startswith("-"):
        return None
    if name not in members:
        return mistake(f"`{prog}` knows no {name!r}", name, members, f"{prog} --help"), 2
    return answer(members[name], rest, f"{prog} {name}", members)


def unknown_flag(
    known: Iterable[str],
    words: Sequence[str],
    prog: str,
    others: Mapping[str, type] | None = None,
):
    """Return the answer to the first word that begins like a flag and is none, else None.

    Args:
        known: Names of flags.
        words, prog, others: As of `answer`.
    """
    known = list(known)
    switches = [f"--no-{name[2:]}" for name in known]
    for word in words:
        name = word.partition("=")[0].replace("_", "-")
        if name.startswith("--") and len(name) > 2 and name not in (*known, *switches):
            said, near = f"`{prog}` has no flag {name}", known
            if having := [other for other, one in (others or {}).items() if _has(one, name)]:
                more = " and others" if len(having) > 3 else ""
                said, near = f"{said}; it is one of {', '.join(having[:3])}{more}", ()
            return mistake(said, name, near, f"{prog} --help"), 2
    return None


def _has(arguments_class: type, name: str) -> bool:
    return any(flag.name == name for flag in flags_of(arguments_class))


def repeated_flag(several: Iterable[str], words: Sequence[str], prog: str):
    """Return the answer to a flag of several values that is given twice, else None.

    Only the last would count, and nobody would say so.

    Args:
        several: Names of such flags.
        words, prog: As of `answer`.
    """
    names = [word.partition("=")[0].replace("_", "-") for word in words]
    for name in several:
        if names.count(name) > 1:
            said = f"{name} is given twice; write all its values behind one: {name} A B"
            return mistake(said, "", (), f"{prog} --help"), 2
    return None


def mistake(said: str, word: str, known: Iterable[str], command: str) -> str:
    """Return the words on a mistake: the nearest name, and a command that exists.

    Args:
        said: What is wrong.
        word: The word.
        known: Words that would be right.
        command: The one that lists them.
    """
    close = difflib.get_close_matches(word, list(known), 1)
    if not close:  # the beginning of a long name is near, too
        close = [name for name in known if name.startswith(word)][:1]
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"error: {said}.{hint} See: {command}"


def _first_line(one: type) -> str:
    return (one.__doc__ or "").strip().splitlines()[0]
