"""Deaths and full disks at every write, of first conversions and of those that are made again."""

import errno
import os
import threading
from pathlib import Path

import pytest

from keras_dtl.convert import ConversionError, convert_folder, load_artifact
from keras_dtl.convert.engines import processes
from keras_dtl.convert.engines.run import Run
from keras_dtl.convert.engines.worker import WorkerLost
from keras_dtl.convert.journal import Journal
from keras_dtl.images import write_image
from tests.convert.conftest import CLASSES, colour, write_classifier, write_negative
from tests.convert.engines.test_engines import tree
from tests.convert.tasks import test_motion as motion

TASKS = ("classifier", "generator", "motion")


class Death(Exception):
    """Stands for the end of the process: nothing after it happens."""


@pytest.fixture(params=TASKS)
def case(request, tmp_path):
    """An artifact, a folder of four inputs, and two choices of options with other results."""
    photos = tmp_path / "in"
    if request.param == "motion":
        for name in "abcd":
            motion.clip(photos / f"{name}.bvh", frames=12)
        artifacts = [motion.artifact(tmp_path / n, node=n) for n in ("Identity", "Neg")]
        return photos, [(each, {}) for each in artifacts]
    for index, name in enumerate("abcd"):
        write_image(photos / f"{name}.png", colour(CLASSES[index % 3]))
    if request.param == "classifier":
        artifact = load_artifact(write_classifier(tmp_path / "colours", (8, 8)), device="cpu")
        return photos, [(artifact, {"top": top}) for top in (1, 2)]
    folders = [write_negative(tmp_path / str(white), white=white) for white in (255, 200)]
    return photos, [(load_artifact(folder, device="cpu"), {}) for folder in folders]


def convert(case, choice, output):
    photos, choices = case
    artifact, options = choices[choice]
    return convert_folder(artifact, photos, output, gallery=0, **options)


def break_at(monkeypatch, name, number, error, after=False):
    """Let a function of `os` fail when it is called for the `number`-th time."""
    function, count = getattr(os, name), iter(range(1000))
    lock = threading.Lock()

    def failing(*arguments, **named):
        with lock:
            now = next(count) >= number
        if now and not after:
            raise error
        answer = function(*arguments, **named)
        if now:
            raise error
        return answer

    monkeypatch.setattr(os, name, failing)


@pytest.mark.parametrize(
    ("case", "after"),
    [
        *((task, False) for task in TASKS),
        ("classifier", True),
        *(pytest.param(task, True, marks=pytest.mark.slow) for task in TASKS[1:]),
    ],
    indirect=["case"],
)
def test_killed_at_any_rename_nothing_own_is_refused(case, tmp_path, monkeypatch, after):
    """A note without its output was taken for the only word on what an output may be."""
    expected = []
    for choice in (0, 1):
        convert(case, choice, tmp_path / f"whole {choice}")
        expected.append(tree(tmp_path / f"whole {choice}"))
    assert expected[0] != expected[1]
    for number in range(6):
        out = tmp_path / f"out {number}"
        convert(case, 0, out)
        with monkeypatch.context() as patch:
            break_at(patch, "replace", number, Death(), after)
            try:
                convert(case, 1, out)
            except Death:
                pass
            else:
                assert number >= len(expected[1]) + 1  # the report is renamed, too
        for name, data in tree(out).items():
            assert data in (expected[0].get(name), expected[1].get(name)), f"{name} is half"
        assert convert(case, 1, out).exit_status == 0
        assert tree(out) == expected[1]
        assert convert(case, 0, out).exit_status == 0
        assert tree(out) == expected[0]


@pytest.mark.parametrize("name", ["replace", "fsync", "open"])
def test_a_full_disk_at_any_write_is_said_once_and_goes_on_later(case, tmp_path, monkeypatch, name):
    convert(case, 1, tmp_path / "whole")
    expected = tree(tmp_path / "whole")
    full = OSError(errno.ENOSPC, "No space left on device")
    for number in range(5):
        out = tmp_path / f"out {number}"
        convert(case, 0, out)
        before = tree(out)
        with monkeypatch.context() as patch:
            if name == "open":
                patch.setattr(Journal, "publish", _raise(full))
                patch.setattr(Journal, "move", _raise(full))
            else:
                break_at(patch, name, number, full)
            report = convert(case, 1, out)
        assert (report.exit_status, report.full) in ((2, full.strerror), (0, None))
        assert report.full or tree(out) == expected
        assert tree(out).keys() >= before.keys()
        assert convert(case, 1, out).exit_status == 0
        assert tree(out) == expected


def _raise(error):
    def function(*arguments):
        raise error

    return function


def test_the_command_says_a_full_disk_once_with_counts(tmp_path, monkeypatch, capsys):
    from keras_dtl.cli.__main__ import main

    for index in range(20):
        write_image(tmp_path / "in" / f"{index}.png", colour("red"))
    folder = write_negative(tmp_path / "negative")
    break_at(monkeypatch, "replace", 3, OSError(errno.ENOSPC, "No space left on device"))
    words = [str(folder), str(tmp_path / "in"), str(tmp_path / "out"), "--device", "cpu"]
    assert main(["convert", *words, "--batch-size", "1"]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert told[0].startswith("error: No space left on device") and "17 are missing" in told[0]


def test_a_disk_too_full_for_the_report_is_said_with_counts_too(tmp_path, monkeypatch, capsys):
    """Only "[Errno 28] No space left on device" was said, of nothing that has a name."""
    from keras_dtl.cli.__main__ import main

    for index in range(3):
        write_image(tmp_path / "in" / f"{index}.png", colour("red"))
    publish = Journal.publish

    def full(journal, target, data):
        if target.name == "report.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        publish(journal, target, data)

    monkeypatch.setattr(Journal, "publish", full)
    words = [str(write_negative(tmp_path / "negative")), str(tmp_path / "in")]
    assert main(["convert", *words, str(tmp_path / "out"), "--device", "cpu"]) == 2
    (told,) = capsys.readouterr().err.strip().splitlines()
    assert f"3 whole results are kept for {tmp_path / 'out'}, 0 are missing" in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_journal_that_cannot_even_be_closed_is_no_second_error(case, tmp_path, monkeypatch):
    """Only "No space left on device" was said, without what is whole and what is missing."""
    enter = Journal.__enter__

    def enter_full(journal):
        enter(journal)
        journal.file.flush()
        file = open("/dev/full", "ab")  # noqa: SIM115 (the journal closes it)
        journal.file = journal.stack.enter_context(file)
        return journal

    monkeypatch.setattr(Journal, "__enter__", enter_full)
    report = convert(case, 0, tmp_path / "out")
    assert report.full == os.strerror(errno.ENOSPC) and report.exit_status == 2
    monkeypatch.undo()
    assert convert(case, 0, tmp_path / "out").exit_status == 0


def test_an_interrupt_while_threads_start_ends_at_once(negative, tmp_path, monkeypatch):
    """They waited for ever for what nobody would send or fetch any more."""
    write_image(tmp_path / "in" / "a.png", colour("red"))
    start, count = threading.Thread.start, iter(range(1000))

    def start_and_interrupt(thread):
        start(thread)
        if next(count) == 2:
            raise KeyboardInterrupt

    before = threading.active_count()
    monkeypatch.setattr(threading.Thread, "start", start_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        convert_folder(negative, tmp_path / "in", tmp_path / "out")
    assert threading.active_count() == before


def test_a_worker_that_dies_while_it_starts_is_begun_again(negative, tmp_path, monkeypatch):
    start, deaths = processes.ProcessWorker.start, []

    def start_and_die(worker):
        if len(deaths) < 2:
            deaths.append(1)
            monkeypatch.setattr(processes, "command_of", lambda module: ["false"])
        else:
            monkeypatch.undo()
        start(worker)

    monkeypatch.setattr(processes.ProcessWorker, "start", start_and_die)
    write_image(tmp_path / "in" / "a.png", colour("red"))
    options = {"engine": "processes", "workers": 1}
    assert convert_folder(negative, tmp_path / "in", tmp_path / "out", **options).converted == 1
    assert len(deaths) == 2


def test_workers_that_never_start_are_one_clear_error(negative, tmp_path, monkeypatch):
    def start(worker):
        raise WorkerLost("killed by the test")

    monkeypatch.setattr(processes.ProcessWorker, "start", start)
    monkeypatch.setattr("keras_dtl.convert.engines.remote.time.sleep", lambda seconds: None)
    write_image(tmp_path / "in" / "a.png", colour("red"))
    with pytest.raises(ConversionError, match="lost 3 times while it started: killed by"):
        convert_folder(negative, tmp_path / "in", tmp_path / "out", engine="processes", workers=1)


def test_notes_are_on_the_disk_before_what_they_vouch_for(negative, tmp_path, monkeypatch):
    write_image(tmp_path / "in" / "a.png", colour("red"))
    done, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (done.append(_name(number)), fsync(number))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append(str(b)), replace(a, b))[1])
    convert_folder(negative, tmp_path / "in", tmp_path / "out", gallery=0)
    published = done.index(str(tmp_path / "out" / "a.png"))
    assert any(name.endswith("journal.jsonl") for name in done[:published])
    assert "partial" in done[published - 1]


def _name(number):
    return str(Path(f"/proc/self/fd/{number}").readlink())


def test_a_run_has_no_thread_that_keeps_a_process_alive(negative, tmp_path, monkeypatch):
    write_image(tmp_path / "in" / "a.png", colour("red"))
    seen, serve = [], Run._serve

    def look(run):
        seen.extend(thread for thread in threading.enumerate() if "_all" in thread.name)
        serve(run)

    monkeypatch.setattr(Run, "_serve", look)
    convert_folder(negative, tmp_path / "in", tmp_path / "out")
    assert seen and all(thread.daemon for thread in seen)
