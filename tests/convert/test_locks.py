"""Drives that know no locks are not taken for folders that another conversion writes to."""

import errno
import json
import os
import subprocess
import sys

import pytest

from keras_dtl.convert import ConversionError, convert_folder
from keras_dtl.convert.locks import exclusive

fcntl = pytest.importorskip("fcntl")


def without_locks(code):
    def refuse(file, operation):
        raise OSError(code, os.strerror(code))

    return refuse


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_drive_without_locks_is_written_to_and_said(
    code, negative, photos, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(fcntl, "flock", without_locks(code))
    report = convert_folder(negative, photos, tmp_path / "out")
    assert report.converted == 4
    assert "knows no locks" in caplog.text and "from another machine" in caplog.text
    assert not (tmp_path / "out" / ".keras_dtl" / "owner.json").exists()


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EACCES])
def test_lock_that_is_held_is_another_conversion(code, tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", without_locks(code))
    with pytest.raises(ConversionError, match="Another conversion"), exclusive(tmp_path, tmp_path):
        pass


def write_owner(folder, **owner):
    (folder / "owner.json").write_text(json.dumps(owner))


def test_processes_of_one_machine_keep_out_of_each_others_way(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", without_locks(errno.ENOLCK))
    with exclusive(tmp_path, tmp_path):
        refused = pytest.raises(ConversionError, match="remove .*owner.json")
        with refused, exclusive(tmp_path, tmp_path):
            pass
        assert (tmp_path / "owner.json").exists()
    host = os.uname().nodename
    write_owner(tmp_path, host="another machine", process=1)
    with pytest.raises(ConversionError, match="Another"), exclusive(tmp_path, tmp_path):
        pass
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_owner(tmp_path, host=host, process=ended.pid)
    with exclusive(tmp_path, tmp_path):
        assert json.loads((tmp_path / "owner.json").read_text())["process"] == os.getpid()
