"""What a killed conversion leaves, and what the next one makes of it."""

import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dtl.cli.__main__ import main
from keras_dtl.convert import convert_folder
from keras_dtl.convert.journal import Journal
from keras_dtl.images import read_image, write_image
from tests.convert.conftest import colour, write_negative


def journal_file(folder):
    return folder / ".keras_dtl" / "journal.jsonl"


def test_journal_knows_what_was_written(tmp_path):
    with Journal(tmp_path, "key") as journal:
        assert journal.records("a.png", "content") is None
        journal.add("a.png", "content", output="x")
        journal.add("b.gif", "content", 1, 2, output="y")
    with Journal(tmp_path, "key") as journal:
        (record,) = journal.records("a.png", "content")
        assert record["output"] == "x"
        assert journal.records("a.png", "other content") is None
        assert journal.records("b.gif", "content") is None  # a frame is missing
        journal.add("b.gif", "content", 0, 2, output="y")
    with Journal(tmp_path, "key") as journal:
        assert len(journal.records("b.gif", "content")) == 2
    with Journal(tmp_path, "other key") as journal:
        assert journal.records("a.png", "content") is None


def test_lines_that_are_noted_at_once_are_those_that_are_noted_alone(tmp_path):
    """Whatever names and contents hold, also what stands between two records."""
    texts = ['}, {"name": ', '"}, {"name": "', "}, {", '\\"}, {\\"name\\": ', "\n", "ü\udcff", "\\"]
    notes = [
        (one, other, frame, frames, {"row": [[[one, 0.1]], []]})
        for one in texts
        for other in texts
        for frame, frames in ((0, 1), (1, 2))
    ]
    with Journal(tmp_path / "alone", "key") as journal:
        for *note, result in notes:
            journal.add(*note, flush=False, **result)
    with Journal(tmp_path / "at once", "key") as journal:
        journal.add_each(notes[:5])
        journal.add_each([])
        journal.add_each(notes[5:], flush=False)
    alone, at_once = (journal_file(tmp_path / name).read_bytes() for name in ("alone", "at once"))
    assert alone == at_once
    assert [json.loads(line)["name"] for line in alone.splitlines()[1:]] == [x[0] for x in notes]


def test_journal_survives_a_torn_line(tmp_path):
    with Journal(tmp_path, "key") as journal:
        journal.add("a.png", "content", output="x")
    with open(journal_file(tmp_path), "ab") as file:
        file.write(b'{"name": "b.png", "cont')
    with Journal(tmp_path, "key") as journal:
        journal.add("c.png", "content", output="z")
    with Journal(tmp_path, "key") as journal:
        assert journal.records("a.png", "content")
        assert journal.records("c.png", "content")


def test_a_run_whose_folder_was_removed_leaves_the_next_one_alone(tmp_path):
    folder = tmp_path / "out"
    with Journal(folder, "key"):
        shutil.rmtree(folder)
        second = Journal(folder, "key")
        second.__enter__()
    second.publish(folder / "a.txt", b"whole")
    second.__exit__()
    assert (folder / "a.txt").read_bytes() == b"whole"
    assert sorted(path.name for path in (folder / ".keras_dtl").iterdir()) == [
        "journal.jsonl",
        "lock",
    ]


lines = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "content", "key", "frame", "frames", "row", "output"]), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None)
@given(values=st.lists(lines, max_size=4), tail=st.binary(max_size=20))
def test_a_damaged_journal_is_no_obstacle(classifier, tmp_path_factory, values, tail):
    folder = tmp_path_factory.mktemp("damaged")
    write_image(folder / "photos" / "name.png", colour("red"))
    journal_file(folder / "out").parent.mkdir(parents=True)
    text = "\n".join(json.dumps(value) for value in values)
    journal_file(folder / "out").write_bytes(text.encode() + tail)
    assert convert_folder(classifier, folder / "photos", folder / "out").exit_status == 0


@pytest.mark.parametrize("task", ["generator", "classifier"])
def test_a_damaged_journal_is_said_with_the_way_out(classifier_folder, tmp_path, caplog, task):
    """What it vouched for was refused as somebody else's, without a word about the journal."""
    artifact = classifier_folder
    if task == "generator":
        artifact = write_negative(tmp_path / "negative")
    write_image(tmp_path / "photos" / "a.png", colour("red"))
    words = ["convert", *map(str, (artifact, tmp_path / "photos", tmp_path / "out"))]
    assert main(words) == 0
    file = journal_file(tmp_path / "out")
    with open(file, "ab") as journal:
        journal.write(b'{"na\n{"name": "b.png", "cont\n')  # as killed runs leave it
    assert main(words) == 0
    assert "damaged" not in caplog.text
    file.write_bytes(np.random.default_rng(0).bytes(500))
    kept = outputs(tmp_path / "out")
    assert main(words) == 2
    told = caplog.text
    assert "journal.jsonl is damaged" in told and "--overwrite" in told
    assert outputs(tmp_path / "out") == kept
    assert main([*words, "--overwrite"]) == main(words) == 0
    assert outputs(tmp_path / "out") == kept


def test_a_clock_that_went_back_changes_nothing(classifier, tmp_path):
    """Times in the future make nothing new, and an older time does not hide a change."""
    photo, out = tmp_path / "photos" / "a.png", tmp_path / "out"
    write_image(photo, colour("red"))
    convert_folder(classifier, photo.parent, out)
    later = time.time() + 10**7
    for path in (photo, *out.rglob("*")):
        os.utime(path, (later, later))
    assert convert_folder(classifier, photo.parent, out).skipped == 1
    write_image(photo, colour("green"))
    os.utime(photo, (0, 0))
    report = convert_folder(classifier, photo.parent, out)
    assert (report.converted, report.exit_status) == (1, 0)
    assert "green" in (out / "predictions.csv").read_text()


def test_an_output_without_rights_is_told_once(tmp_path, monkeypatch, capsys):
    """As root may write everywhere, the system's answer is put in its place."""
    write_image(tmp_path / "photos" / "a.png", colour("red"))
    mkdir = Path.mkdir

    def refuse(path, *rest, **options):
        if path.is_relative_to(tmp_path / "out"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        mkdir(path, *rest, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    artifact = write_negative(tmp_path / "negative")
    assert main(["convert", *map(str, (artifact, tmp_path / "photos", tmp_path / "out"))]) == 2
    (told,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error")]
    assert str(tmp_path / "out") in told and "Change its rights" in told


def test_a_row_of_another_form_is_made_again(classifier, tmp_path):
    write_image(tmp_path / "photos" / "a.png", colour("red"))
    convert_folder(classifier, tmp_path / "photos", tmp_path / "out")
    file = journal_file(tmp_path / "out")
    damaged = file.read_text().replace('"row": [[[', '"row": [[{}, [')
    file.write_text(damaged)
    report = convert_folder(classifier, tmp_path / "photos", tmp_path / "out")
    assert (report.converted, report.exit_status) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["generator", "classifier"])
def test_killed_at_random_moments_a_second_run_does_exactly_the_rest(
    classifier_folder, tmp_path, task
):
    """kill -9 at 30 moments in all, spread over the whole run."""
    artifact = classifier_folder
    if task == "generator":
        artifact = write_negative(tmp_path / "negative")
    photos = tmp_path / "photos"
    noise = np.random.default_rng(0)
    for index in range(300):
        image = noise.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        write_image(photos / f"{index % 7}" / f"{index}.png", image)
    command = [sys.executable, "-m", "keras_dtl.cli", "convert", str(artifact), str(photos)]
    moments = random.Random(0)
    started = time.monotonic()
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    usual = time.monotonic() - started
    expected = outputs(tmp_path / "whole")
    interrupted = 0
    for attempt in range(15):
        out = tmp_path / f"out {attempt}"
        process = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL)
        time.sleep(usual * moments.uniform(0.3, 1.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = outputs(out)
        interrupted += before != expected
        for name, data in before.items():
            assert data == expected[name], f"{name} is not whole"
        answer = subprocess.run([*command, str(out)], check=True, capture_output=True, text=True)
        report = json.loads((out / "report.json").read_text())
        assert outputs(out) == expected, answer.stdout
        assert report["converted"] + report["skipped"] == 300
        if task == "generator":
            assert report["skipped"] == len(before)
        assert not list((out / ".keras_dtl").glob("partial/*"))
    assert interrupted > 3, "no run was killed on its way"


def outputs(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if not re.match(r"\.keras_dtl|report|gallery", path.relative_to(folder).parts[0])
    }


def test_a_killed_run_leaves_no_partial_file_behind(negative, photos, tmp_path):
    partial = tmp_path / "out" / ".keras_dtl" / "partial"
    partial.mkdir(parents=True)
    (partial / "0123").write_bytes(b"half")
    convert_folder(negative, photos, tmp_path / "out")
    assert not partial.exists()
    assert read_image(tmp_path / "out" / "a.png").shape == (6, 7, 3)


@pytest.mark.parametrize("name", ["report.json", "gallery.html"])
def test_what_a_run_killed_at_its_report_leaves_goes_with_the_next(
    negative, photos, tmp_path, monkeypatch, name
):
    """There was a hidden file such as .0a1b2c3d.report.json, which stayed for ever."""
    out, replace = tmp_path / "out", os.replace

    def killed(source, target):
        if Path(target).name == name:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        patch.setattr(Path, "unlink", lambda path, missing_ok=False: None)  # as if at once
        with pytest.raises(KeyboardInterrupt):
            convert_folder(negative, photos, out)
    hidden = [path.name for path in out.iterdir() if path.name.startswith(".")]
    assert hidden == [".keras_dtl"]
    assert convert_folder(negative, photos, out).skipped == 4
    assert (out / name).is_file()
    assert not (out / ".keras_dtl" / "partial").exists()
