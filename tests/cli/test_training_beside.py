"""A training in a process of its own."""

import json

import pytest

from keras_dtl.cli.training_beside import TrainingBeside


def test_a_training_that_fails_is_told_with_its_log(tmp_path):
    log = tmp_path / "said.log"
    message = f"status 1; see {log}.*no-such-recipe"
    training = TrainingBeside("no-such-recipe", tmp_path / "run", log)
    with training, pytest.raises(RuntimeError, match=message):
        training.finish()


def test_what_a_user_can_mend_is_told_as_if_it_were_here(tmp_path):
    """A full disk there was a defect of this package, with a traceback and the status 1."""
    (tmp_path / "file").write_text("")
    training = TrainingBeside("source-only", tmp_path / "file/run", tmp_path / "log")
    with training, pytest.raises(OSError, match=r"^--output must be a folder.* See .*log\.$"):
        training.finish()


def test_who_leaves_early_leaves_no_process(tmp_path):
    with TrainingBeside("dann", tmp_path / "run", tmp_path / "log") as training:
        assert training.process.poll() is None
    assert training.process.poll() is not None


def test_it_ends_with_the_process_that_began_it(tmp_path):
    with TrainingBeside("dann", tmp_path / "run", tmp_path / "log") as training:
        training.process.stdin.close()  # as the system does for a process that is gone
        assert training.process.wait(timeout=60) == 1


@pytest.mark.slow
def test_the_same_seed_learns_the_same_as_in_this_process(tmp_path):
    from keras_dtl.recipes import RECIPES
    from keras_dtl.recipes.training import train

    values = {"epochs": 1, "min_steps": 3, "source_size": 200, "seed": 3}
    with TrainingBeside("source-only", tmp_path / "beside", tmp_path / "log", **values) as one:
        one.finish()
    train(RECIPES["source-only"](output=tmp_path / "here", **values))
    beside, here = (
        json.loads((tmp_path / name / "scores.json").read_text()) for name in ("beside", "here")
    )
    assert beside == here
