"""What a dataclass of arguments offers: its flags with types, defaults and what they mean."""

import ast
import dataclasses
import inspect
import re
import textwrap
import types
import typing
from pathlib import Path
from typing import Any, NamedTuple


class Flag(NamedTuple):
    """A flag or a positional argument."""

    name: str
    """As it is typed: `--image-size`, or `RUN` of a positional one."""
    value: str
    """What follows it, such as `PATH` or `{off,on}`; empty where nothing does."""
    text: str
    """What it means."""
    default: Any
    """`dataclasses.MISSING` where there is none."""
    field: str
    """Name of the dataclass' field."""
    is_positional: bool = False

    @property
    def is_switch(self) -> bool:
        """Whether it is turned on by its name alone."""
        return isinstance(self.default, bool)


def flags_of(arguments_class: type) -> list[Flag]:
    """Return the flags of a dataclass, those of nested dataclasses among them.

    Args:
        arguments_class: The dataclass; a field's text stands below it, or under `Args:`.
    """
    hints = typing.get_type_hints(arguments_class, include_extras=True)
    texts = field_texts(arguments_class)
    found = []
    for field in dataclasses.fields(arguments_class):
        kind, marks = _base_of(hints[field.name])
        if dataclasses.is_dataclass(kind):
            found += flags_of(kind)
            continue
        positional = any("Positional" in repr(mark) for mark in marks)
        metavar = next((mark.metavar for mark in marks if getattr(mark, "metavar", None)), None)
        named = next((mark.name for mark in marks if getattr(mark, "name", None)), field.name)
        name = metavar or field.name.upper() if positional else _typed(named)
        value = "" if positional else metavar or metavar_of(kind)
        if value and _takes_none(kind) and _default(field) is not None:
            value = f"{value}|None"
        text = " ".join(texts.get(field.name, "").split())
        found.append(Flag(name, value, text, _default(field), field.name, positional))
    return found


def field_texts(arguments_class: type) -> dict[str, str]:
    """Return `{field: text}` of a dataclass and its bases."""
    found = {}
    for one in reversed(arguments_class.__mro__):
        if dataclasses.is_dataclass(one) and one.__module__ != "builtins":
            found |= _texts_of_args(one.__doc__ or "") | _texts_below(one)
    return found


def metavar_of(kind: Any) -> str:
    """Return what stands for a value of a type in the help."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return "{" + ",".join(map(str, parts)) + "}"
    if origin in (typing.Union, types.UnionType):
        return "|".join(dict.fromkeys(metavar_of(part) for part in parts if part is not _NONE))
    if origin in (tuple, list):
        inner = metavar_of(parts[0])
        return " ".join(map(metavar_of, parts)) if Ellipsis not in parts else f"{inner} ..."
    return _METAVARS.get(kind, "TEXT")


def _takes_none(kind: Any) -> bool:
    return _NONE in typing.get_args(kind)


_NONE = type(None)
_METAVARS = {int: "INTEGER", float: "NUMBER", Path: "PATH", bool: ""}


def _typed(name: str) -> str:
    return "--" + name.replace("_", "-")


def _default(field: dataclasses.Field) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default if "Missing" not in type(field.default).__name__ else dataclasses.MISSING


def _base_of(hint: Any) -> tuple[Any, tuple]:
    """Return a type without its annotations, and these."""
    marks = ()
    while typing.get_origin(hint) is typing.Annotated:
        hint, marks = hint.__origin__, (*marks, *hint.__metadata__)
    return hint, marks


def _texts_below(one: type) -> dict[str, str]:
    """Return the strings that stand below the fields in the source."""
    try:
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
    except (OSError, TypeError):
        return {}
    return {
        above.target.id: below.value.value
        for above, below in zip(body.body, body.body[1:], strict=False)
        if isinstance(above, ast.AnnAssign)
        and isinstance(below, ast.Expr)
        and isinstance(getattr(below.value, "value", None), str)
    }


def _texts_of_args(docstring: str) -> dict[str, str]:
    """Return what stands in a docstring under `Args:`, by name."""
    _, _, section = inspect.cleandoc(docstring).partition("\nArgs:\n")
    entries = re.findall(r"^    (\w+): ((?:.*\n?)(?:(?:        .*)?\n?)*)", section, re.M)
    return dict(entries)
