"""Workers that are killed or never come, on the command line."""

import json
import random
import signal
import time

import h5py
import numpy as np
import pytest

from keras_dtl.callbacks.checkpoint import FILE_NAME
from keras_dtl.distribution import LOST_SECONDS
from tests.cli.test_train import write_domain
from tests.distribution.processes import ends_of, start_workers

KILLS, EPOCHS = 10, 40


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    write_domain(folder / "source", 0, 0)
    write_domain(folder / "target", 1, 60)
    return folder


def words(domains, folder, *more, epochs=EPOCHS):
    return (
        *("keras_dtl", "train", "dann", "--source", f"folder:{domains}/source"),
        *("--target", f"folder:{domains}/target", "--epochs", epochs, "--batch-size", 16),
        *("--min-steps", 20, "--output", folder / "run", "--artifact", folder / "artifact", *more),
    )


def weights_of(folder):
    from keras_dtl.recipes.runs import run_model

    return run_model(folder / "run").get_weights()


def epochs_done(checkpoint):
    if not checkpoint.exists():
        return 0
    with h5py.File(checkpoint) as file:  # a half file cannot be opened
        return len(json.loads(file.attrs["history"]))


def wait_for_epochs(checkpoint, count, processes):
    while epochs_done(checkpoint) < count:
        if any(process.poll() is not None for process in processes):
            raise AssertionError(ends_of(processes))
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_workers_leave_whole_files_and_resume_to_the_bit(domains, tmp_path):
    chance = random.Random(0)
    checkpoint = tmp_path / "run" / FILE_NAME
    for number in range(KILLS):
        more = ["--resume"] if number else []
        before = epochs_done(checkpoint)
        workers = start_workers(*words(domains, tmp_path, *more))
        wait_for_epochs(checkpoint, before + 1, workers)
        time.sleep(chance.uniform(0, 1))
        victim, other = chance.sample(workers, 2)
        victim.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        status, _, errors = ends_of([other])[0]
        assert time.monotonic() - killed < LOST_SECONDS
        assert status == 2 and "Another worker was lost" in errors, errors
        ends_of([victim])
        assert before < epochs_done(checkpoint) < EPOCHS
        visible = {path.name for path in checkpoint.parent.iterdir() if path.name[0] != "."}
        assert visible == {"settings.json", FILE_NAME}
    workers = start_workers(*words(domains, tmp_path, "--resume"))
    assert [status for status, *_ in ends_of(workers)] == [0, 0]
    assert not list((tmp_path / "run").glob(".*"))
    whole = tmp_path / "whole"
    ends = ends_of(start_workers(*words(domains, whole)))
    assert [status for status, *_ in ends] == [0, 0], ends
    for ours, theirs in zip(weights_of(tmp_path), weights_of(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_a_worker_that_stands_still_is_lost_too(domains, tmp_path):
    workers = start_workers(*words(domains, tmp_path))
    wait_for_epochs(tmp_path / "run" / FILE_NAME, 1, workers)
    workers[1].send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    status, _, errors = ends_of(workers[:1])[0]
    workers[1].send_signal(signal.SIGKILL)
    assert time.monotonic() - stopped < LOST_SECONDS
    assert status == 2 and "Another worker was lost" in errors
    ends_of(workers)


@pytest.mark.slow
@pytest.mark.parametrize("alone", [0, 1])
def test_a_worker_whose_others_never_come_ends_with_an_error(domains, tmp_path, alone):
    (worker,) = start_workers(
        *words(domains, tmp_path, "--worker-timeout", 5, epochs=1), chosen=[alone]
    )
    status, _, errors = ends_of([worker], 120)[0]
    assert status == 2 and "These do not answer: 127.0.0.1:" in errors
    assert not (tmp_path / "run" / FILE_NAME).exists()


@pytest.mark.slow
def test_two_workers_go_on_with_what_one_began_and_say_so(domains, tmp_path):
    (alone,) = start_workers(*words(domains, tmp_path, epochs=3), count=1)
    checkpoint = tmp_path / "run" / FILE_NAME
    wait_for_epochs(checkpoint, 1, [alone])
    alone.send_signal(signal.SIGKILL)
    ends_of([alone])
    ends = ends_of(start_workers(*words(domains, tmp_path, "--resume", epochs=3)))
    assert [status for status, *_ in ends] == [0, 0], ends
    assert "begun with 1 replica(s) and goes on with 2" in ends[0][1]
    assert "goes on" not in ends[1][1]
