"""A finished run, which tests of several verbs read or damage."""

import shutil

import pytest

from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.training import train
from tests.cli.test_train import write_domain


@pytest.fixture(scope="session")
def short_run(tmp_path_factory):
    """A classifier that was trained for a step, and two domains."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_domain(folder / "source", 0, 0)
        write_domain(folder / "target", 1, 60)
        values = {"source": "folder:source", "target": "folder:target", "output": folder / "run"}
        train(RECIPES["source-only"](**values, epochs=1, min_steps=1, preset="paper"))
    return folder


@pytest.fixture
def folder(short_run, tmp_path, monkeypatch):
    """A copy of it to damage; sessions are not started."""
    shutil.copytree(short_run, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("keras_dtl.cli.session.start_session", lambda *_, **__: "")
    monkeypatch.setattr("keras_dtl.cli.train.start_session", lambda *_, **__: "")
    return tmp_path
