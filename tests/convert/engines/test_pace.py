"""How many threads read: one where it is Python's work, all where something is waited for."""

import threading
import time

import pytest

from keras_dtl.convert import convert_folder
from keras_dtl.convert.engines import pace, run
from keras_dtl.convert.engines.pace import Pace
from tests.convert.engines.test_engines import many, told, tree  # noqa: F401 (a fixture)


class Clock:
    """Stands for the module `time`."""

    def __init__(self):
        self.now = self.work = 0.0

    def perf_counter(self):
        return self.now

    def thread_time(self):
        return self.work


@pytest.mark.parametrize(
    ("seconds", "work", "quick"),
    [(2e-4, 1e-4, True), (9e-4, 1e-4, True), (2e-3, 1e-4, False), (9e-4, 4e-4, False)],
)
def test_a_pace_is_quick_where_little_is_worked_and_waited_for(monkeypatch, seconds, work, quick):
    clock, seen = Clock(), Pace()
    monkeypatch.setattr(pace, "time", clock)
    assert not seen.is_quick()  # nobody knows yet
    for _ in range(32):
        clock.now += seconds
        clock.work += work
        seen.note(seconds)
    assert seen.is_quick() == quick
    clock.now += 1.0  # a file that takes long
    assert not seen.is_quick()
    for _ in range(16):
        clock.now += 1e-4
        clock.work += 1e-4
        seen.note(1e-4)
    assert seen.is_quick()


@pytest.mark.parametrize("quick", [True, False])
def test_readers_help_where_files_take_long(classifier, many, tmp_path, monkeypatch, quick):  # noqa: F811
    """And whoever reads, everything is read, once, and the table is the same."""
    convert_folder(classifier, many, tmp_path / "alone")
    readers, read = set(), run.read_file

    def read_and_tell(path):
        readers.add(threading.get_ident())
        time.sleep(0.01)  # others get their turn
        return read(path)

    monkeypatch.setattr(run, "_READERS", 4)
    monkeypatch.setattr(run, "read_file", read_and_tell)
    monkeypatch.setattr(Pace, "is_quick", lambda pace: quick)
    report = convert_folder(classifier, many, tmp_path / "out")
    assert (report.converted, report.exit_status) == (40, 0)
    assert len(readers) == (1 if quick else 4)
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")
    assert told(tmp_path / "out") == told(tmp_path / "alone")


def test_readers_that_rest_help_when_the_pace_falls(classifier, many, tmp_path, monkeypatch):  # noqa: F811
    readers, read = [], run.read_file

    def read_and_tell(path):
        readers.append(threading.get_ident())
        time.sleep(0.02)
        return read(path)

    monkeypatch.setattr(run, "_READERS", 3)
    monkeypatch.setattr(run, "read_file", read_and_tell)
    monkeypatch.setattr(Pace, "is_quick", lambda pace: len(readers) < 10)
    assert convert_folder(classifier, many, tmp_path / "out").converted == 40
    assert len(set(readers[:9])) == 1 and len(set(readers)) == 3
