"""Folders that are converted as files arrive."""

import pytest

from keras_dtl.convert import ConversionError
from keras_dtl.convert import watch as module
from keras_dtl.convert.watch import watch_folder
from keras_dtl.images import write_image
from tests.convert.conftest import colour


def test_watch_takes_settled_files_once_and_changed_ones_again(negative, tmp_path, monkeypatch):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    growing = photos / "growing.png"
    write_image(tmp_path / "whole.png", colour("red", 60, 60))
    whole = (tmp_path / "whole.png").read_bytes()
    looks, reports = iter(range(100)), []

    def at_look(interval):
        match next(looks):
            case 0:
                write_image(photos / "a.png", colour("red"))
                growing.write_bytes(whole[:20])
            case 1:
                growing.write_bytes(whole[:40])
            case 2:
                growing.write_bytes(whole)
            case 5:
                write_image(photos / "a.png", colour("blue", 9, 9))
            case 9:
                raise KeyboardInterrupt

    monkeypatch.setattr(module.time, "sleep", at_look)
    with pytest.raises(KeyboardInterrupt):
        watch_folder(negative, photos, out, on_report=reports.append)
    assert [(report.converted, report.skipped) for report in reports] == [(1, 0), (1, 1), (1, 1)]
    assert all(report.exit_status == 0 for report in reports)


def test_watch_needs_a_folder(negative, tmp_path):
    with pytest.raises(ConversionError, match="Only a folder can be watched"):
        watch_folder(negative, tmp_path / "missing", tmp_path / "out")
