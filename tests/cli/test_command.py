import errno
import os
import sys
import types
from dataclasses import dataclass, field
from typing import Annotated, get_type_hints

import pytest
from tyro.conf import OmitArgPrefixes, arg

from keras_dtl.cli.__main__ import VERBS, main
from keras_dtl.cli.command import run


@dataclass(frozen=True)
class Flags:
    """Flags for these tests."""

    count: int = 1
    """How many."""


def raising(error):
    def verb(arguments):
        raise error

    return verb


def test_a_fault_of_the_system_names_the_files_and_no_number(tmp_path, capsys):
    missing, other = tmp_path / "a", tmp_path / "b"
    assert run(Flags, lambda arguments: missing.read_bytes(), []) == 2
    assert capsys.readouterr().err == f"error: No such file or directory: '{missing}'\n"
    assert run(Flags, lambda arguments: missing.rename(other), []) == 2
    told = capsys.readouterr().err
    assert told == f"error: No such file or directory: '{missing}' -> '{other}'\n"


def test_status_of_the_verb_is_returned():
    assert run(Flags, lambda arguments: arguments.count, ["--count", "1"]) == 1


@pytest.mark.parametrize(
    "error", [ValueError("words"), FileNotFoundError("words"), FloatingPointError("words")]
)
def test_what_a_user_can_mend_is_one_line_and_status_2(error, capsys):
    assert run(Flags, raising(error), []) == 2
    assert capsys.readouterr().err == "error: words\n"


def test_arguments_that_an_error_names_are_flags_to_who_typed_them(capsys):
    error = ValueError("`count` of 3, or of several `counts`; not count, nor `other`")
    assert run(Flags, raising(error), []) == 2
    assert "--count of 3, or of several --count; not count, nor `other`" in capsys.readouterr().err


def test_an_error_within_a_graph_is_told_without_its_way(capsys):
    text = 'in user code:\n\n    File "a.py", line 1, in f  *\n    ValueError: Lower it.\n'
    assert run(Flags, raising(ValueError(text)), []) == 2
    assert capsys.readouterr().err == "error: Lower it.\n"


@pytest.mark.parametrize("words", [["--resume"], ["--resume", "--epochs", "3"], ["--settings"]])
def test_a_flag_of_train_without_its_folder_is_one_line(words, capsys):
    assert main(["train", *words]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "--resume RUN" in told
    assert told.endswith(f"Received: {' '.join(words)}\n")


def test_types_of_flags_are_told_without_a_checker_of_types(monkeypatch):
    """It takes as long to import as a third of all else that a short verb needs."""

    @dataclass(frozen=True)
    class Inner:
        limit: int | None = None

    @dataclass(frozen=True)
    class Outer(Flags):
        inner: OmitArgPrefixes[Inner] = field(default_factory=Inner)
        name: str | None = None
        share: Annotated[float | None, arg(metavar="SHARE")] = None

    monkeypatch.setitem(sys.modules, "typeguard", None)  # to import it fails
    words = ["--limit", "3", "--name", "a", "--share", "0.5", "--count", "2"]
    code = {}
    assert run(Outer, lambda given: code.update(given=given) or 0, words) == 0
    assert code["given"] == Outer(2, Inner(3), "a", 0.5)
    assert run(Outer, lambda given: code.update(given=given) or 0, []) == 0
    assert code["given"] == Outer()
    assert not any(isinstance(kind, types.UnionType) for kind in get_type_hints(Outer).values())


def test_a_missing_package_comes_with_the_command_that_installs_it(capsys):
    assert run(Flags, raising(ModuleNotFoundError("No module named 'keras'")), []) == 2
    assert 'pip install "keras_dtl[train,cpu]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.EACCES, "Change its rights, or name another place."),
        (errno.EPERM, "Change its rights, or name another place."),
        (errno.EROFS, "Make it writable and give the same command again"),
        (errno.ENOSPC, "Make room and give the same command again"),
    ],
)
def test_a_place_that_cannot_be_written_is_named_with_the_way_out(number, way_out, capsys):
    assert run(Flags, raising(OSError(number, os.strerror(number), "there/file")), []) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{os.strerror(number)}: 'there/file'" in line and way_out in line


def test_traceback_is_shown_when_asked_for(monkeypatch, capsys):
    monkeypatch.setenv("KERAS_DTL_TRACEBACK", "1")
    run(Flags, raising(ValueError("words")), [])
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_status_130(capsys):
    assert run(Flags, raising(KeyboardInterrupt()), []) == 130


def test_defects_are_not_hidden():
    with pytest.raises(AttributeError):
        run(Flags, raising(AttributeError("ours")), [])


def test_unknown_flags_end_with_status_2():
    with pytest.raises(SystemExit) as end:
        run(Flags, lambda arguments: 0, ["--cuont", "1"])
    assert end.value.code == 2


def test_usage_lists_every_verb(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {verb} " in shown for verb in VERBS)
    assert main(["trian"]) == 2
    assert "no verb 'trian'" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "train"])
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    assert f"keras-dtl {verb}" in capsys.readouterr().out


def test_flags_of_a_recipe_are_explained(capsys):
    with pytest.raises(SystemExit):
        main(["train", "dann", "--help"])
    shown = capsys.readouterr().out
    for flag in ("--source", "--mixed-precision", "--jit", "--seed", "--output", "--resume"):
        assert flag in shown
