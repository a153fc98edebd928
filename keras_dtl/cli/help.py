"""The help of a verb: first what a user must choose, in groups, with one example."""

import dataclasses
import inspect
import shutil
import sys
import textwrap

from keras_dtl.cli.flags import Flag, flags_of

CHOICES = (
    *("source", "target", "photos", "style", "start", "direction", "image_size"),
    *("method", "backbone", "weights", "shots", "epochs", "output", "artifact"),
)
"""Fields of a recipe that are the user's to choose, in the order of the help."""
MACHINE = (
    *("seed", "batch_size", "mixed_precision", "jit", "resume", "settings_file", "log"),
    *("data_dir", "manual_dir", "npz_images", "npz_labels"),
    *("engine", "devices", "workers", "worker", "worker_timeout", "address"),
)
"""Fields that say how it is computed, not what is learnt."""
INDENT = 26


def help_of(arguments_class: type, prog: str) -> str:
    """Return the help of a verb, or of a recipe of `train`.

    Args:
        arguments_class: Dataclass of its arguments.
        prog: The command, such as `keras-dtl train dann`.
    """
    flags = flags_of(arguments_class)
    positional = [flag for flag in flags if flag.is_positional]
    names = " ".join(flag.name for flag in positional)
    about = inspect.cleandoc(arguments_class.__doc__ or "").partition("\nArgs:\n")[0]
    parts = [f"usage: {prog} {f'{names} ' if names else ''}[options]", about]
    if command := example(arguments_class, prog):
        parts.append(f"example:\n  {command}")
    name = getattr(arguments_class, "name", "")
    for title, members in groups(arguments_class, flags).items():
        if members:
            rows = [entry(flag, name) for flag in members]
            parts.append(f"{title}:\n" + "\n".join(rows))
    return "\n\n".join(parts)


def groups(arguments_class: type, flags: list[Flag]) -> dict[str, list[Flag]]:
    """Return `{title: flags}`: of a recipe what to choose, what is learnt, how it is computed."""
    positional = [flag for flag in flags if flag.is_positional]
    others = [flag for flag in flags if not flag.is_positional]
    if not hasattr(arguments_class, "run_folder") or not hasattr(arguments_class, "load_data"):
        return {"arguments": positional, "options": others}
    chosen = sorted(
        (flag for flag in others if flag.field in CHOICES), key=lambda f: CHOICES.index(f.field)
    )
    return {
        "arguments": positional,
        "to choose first": chosen,
        "method and training": [f for f in others if f.field not in (*CHOICES, *MACHINE)],
        "machine and run": [flag for flag in others if flag.field in MACHINE],
    }


def entry(flag: Flag, name: str) -> str:
    """Return the lines of a flag.

    Args:
        flag: The `Flag`.
        name: Of the recipe, for which NAME stands in texts.
    """
    off = f", --no-{flag.name[2:]}" if flag.is_switch else ""
    head = f"  {flag.name}{off} {flag.value}".rstrip()
    text = flag.text.replace("/NAME", f"/{name}") if name else flag.text
    if (stated := default_text(flag)) and "Default:" not in text:
        text = f"{text} {stated}"
    width = max(60, min(100, shutil.get_terminal_size().columns))
    lines = textwrap.wrap(text.strip(), width - INDENT, break_on_hyphens=False)
    if len(head) < INDENT - 1 and lines:
        head = f"{head:{INDENT}}{lines.pop(0)}"
    return "\n".join([head, *(" " * INDENT + line for line in lines)])


def default_text(flag: Flag) -> str:
    """Return the words on a default, or nothing where none is worth a word."""
    if flag.default is dataclasses.MISSING:
        return "" if flag.is_positional else "Required."
    if flag.default in (None, "", ()) or flag.is_switch:
        return ""
    default = flag.default
    values = default if isinstance(default, tuple) else (default,)
    return f"Default: {' '.join(map(str, values))}."


def example(arguments_class: type, prog: str) -> str:
    """Return the first command at the head of a class' module, one of `prog` where there is one.

    Args:
        arguments_class: The class.
        prog: The command, such as `keras-dtl train dann`.
    """
    text = inspect.getdoc(sys.modules[arguments_class.__module__]) or ""
    lines = text.replace("\\\n", " ").splitlines()
    commands = [" ".join(line.split()) for line in lines]
    own = [line for line in commands if f"{line} ".startswith(f"{prog} ")]
    return next(iter([*own, *(line for line in commands if line.startswith("keras-dtl "))]), "")
