"""Files that are whole or absent."""

import contextlib
import hashlib
import json
import os
import sys

import pytest

from keras_dtl.files import (
    atomic_path,
    read_regular,
    remove_abandoned,
    sha256,
    write_json,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_within(error, target, write):
    with atomic_path(target) as temporary:
        write(temporary)
        assert temporary.exists()
        raise error


def test_atomic_path_publishes_a_file_at_the_end(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
        assert temporary.suffix == ".txt"
    assert target.read_text() == "whole"
    assert names(target.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_atomic_path_keeps_the_old_file_on_failure(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error):
        fail_within(error, target, lambda temporary: temporary.write_text("half"))
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_atomic_path_replaces_a_folder_as_a_whole(tmp_path):
    target = tmp_path / "artifact"
    target.mkdir()
    (target / "old").touch()
    with atomic_path(target) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
        assert names(target) == ["old"]
    assert names(target) == ["new"]
    assert names(tmp_path) == ["artifact"]


def test_atomic_path_keeps_the_old_folder_on_failure(tmp_path):
    target = tmp_path / "artifact"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(RuntimeError):
        fail_within(RuntimeError, target, lambda temporary: (temporary / "new").mkdir(parents=True))
    assert names(target) == ["old"]
    assert names(tmp_path) == ["artifact"]


class Death(BaseException):
    """Stands for a kill: nothing is tidied up."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others cannot exchange names")
@pytest.mark.parametrize("name", ["rename", "replace"])
def test_there_is_a_whole_folder_at_every_moment(tmp_path, monkeypatch, name):
    """Between two renames there was none: a kill or a full disk took an artifact away."""
    target = tmp_path / "artifact"
    target.mkdir()
    (target / "old").touch()
    moments = []
    for number in range(2):
        calls, function = [], getattr(os, name)

        def dying(*arguments, calls=calls, number=number, function=function):
            calls.append(arguments)
            if len(calls) == number + 1:
                raise Death
            return function(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(os, name, dying)
            with contextlib.suppress(Death), atomic_path(target) as temporary:
                temporary.mkdir()
                (temporary / "new").touch()
        moments.append(names(target))
    assert moments == [["new"], ["new"]]
    assert names(tmp_path) == ["artifact"]


def test_folders_are_replaced_where_names_cannot_be_exchanged(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_dtl.files._exchange", lambda one, other: False)
    test_atomic_path_replaces_a_folder_as_a_whole(tmp_path)


def test_write_json_is_indented_utf8(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Zürich"})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "Zürich" in text
    assert json.loads(text) == {"name": "Zürich"}


def test_write_json_keeps_the_old_file_when_the_value_is_no_json(tmp_path):
    write_text(tmp_path / "a.json", "old")
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"x": object()})
    assert (tmp_path / "a.json").read_text() == "old"


def test_sha256_equals_hashlib(tmp_path):
    data = b"x" * 3_000_000
    (tmp_path / "a").write_bytes(data)
    assert sha256(tmp_path / "a") == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 100, 2**20, 2**20 + 1, 3 * 2**20])
@pytest.mark.parametrize("change", [-1, 0, 1, 5_000_000])
def test_a_file_that_changes_while_it_is_opened_is_read_whole(tmp_path, monkeypatch, size, change):
    path, fstat, opened = tmp_path / "a", os.fstat, []
    path.write_bytes(bytes(size))

    def change_then(number):
        status = fstat(number)
        if not opened:
            os.truncate(path, max(0, size + change))
        opened.append(number)
        return status

    monkeypatch.setattr(os, "fstat", change_then)
    assert read_regular(path) == bytes(max(0, size + change))
    opened.clear()
    path.write_bytes(bytes(size))
    with (
        pytest.raises(OSError, match="more than 10")
        if size + change > 10
        else contextlib.nullcontext()
    ):
        read_regular(path, limit=10)
    assert len({*opened}) == 1
    with pytest.raises(OSError, match="Bad file"):
        fstat(opened[0])


def test_what_a_killed_process_left_goes_when_nobody_writes_it_any_more(tmp_path):
    names = (".0123abcd.model.keras", ".89abcdef.report.html", ".hidden", "model.keras")
    for name in names:
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".01234567.young").write_text("x")
    (tmp_path / ".abcdef01.folder").mkdir()
    os.utime(tmp_path / ".abcdef01.folder", (0, 0))
    remove_abandoned(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".01234567.young", ".hidden", "model.keras"]
    remove_abandoned(tmp_path / "missing")
