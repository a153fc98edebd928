"""Trainings followed by TensorBoard, MLflow and Weights & Biases."""

import dataclasses
import math
import sys
import types

import pytest

from keras_dtl.callbacks import trackers
from keras_dtl.callbacks.trackers import TRACKERS, Tracker, flat_numbers, make_trackers
from keras_dtl.cli.__main__ import main
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.training import train

SETTINGS = {"recipe": "dann", "epochs": 2, "source": "folder:photos"}
SCORES = {"target": {"accuracy": 0.75, "classes": ["a"], "n": 4}, "note": "x"}


def follow(tracker, begin=0):
    """Let a tracker see two epochs and the scores."""
    tracker.on_train_begin()
    for epoch in range(begin, 2):
        tracker.on_epoch_end(epoch, {"loss": 1.0 / (epoch + 1)})
    tracker.finish(SCORES)


def test_scores_are_flat_numbers():
    assert dict(flat_numbers(SCORES)) == {"target/accuracy": 0.75, "target/n": 4.0}


def test_tensorboard_reads_what_was_written(tmp_path):
    events = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs [tensorboard]"
    )
    (tracker,) = make_trackers(("tensorboard",), tmp_path, "dann", SETTINGS)
    follow(tracker)
    found = events.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    losses = [_value(found, event) for event in found.Tensors("loss")]
    assert losses == [(1, 1.0), (2, 0.5)]
    assert [_value(found, e) for e in found.Tensors("scores/target/accuracy")] == [(2, 0.75)]
    (text,) = found.Tensors("settings")
    assert b"folder:photos" in text.tensor_proto.string_val[0]


def _value(found, event):
    import tensorflow as tf

    return event.step, float(tf.make_ndarray(event.tensor_proto))


class FakeMlflow(types.ModuleType):
    """As much of MLflow as is used; runs outlive the client, as on a server."""

    def __init__(self):
        super().__init__("mlflow")
        self.experiments, self.runs = {}, {}
        self.MlflowClient = lambda: self

    def get_experiment_by_name(self, name):
        found = self.experiments.get(name)
        return found and types.SimpleNamespace(experiment_id=found)

    def create_experiment(self, name):
        self.experiments[name] = f"id of {name}"
        return self.experiments[name]

    def create_run(self, experiment, run_name):
        run = f"run {len(self.runs)}"
        self.runs[run] = {"in": experiment, "name": run_name, "status": "RUNNING", "params": {}}
        self.runs[run]["metrics"] = []
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id=run))

    def update_run(self, run, status):
        self.runs[run]["status"] = status

    def log_param(self, run, name, value):
        assert isinstance(value, str) and len(value) <= 500
        self.runs[run]["params"][name] = value

    def log_metric(self, run, name, value, timestamp, step):
        assert timestamp > 1e12  # milliseconds
        self.runs[run]["metrics"].append((name, value, step))

    def set_terminated(self, run, status):
        self.runs[run]["status"] = status


class FakeWandb(types.ModuleType):
    """As much of Weights & Biases as is used."""

    def __init__(self):
        super().__init__("wandb")
        self.runs = {}

    def init(self, project, name, id, resume, config, dir):
        assert resume == "allow"
        id = id or f"run{len(self.runs)}"
        rows = self.runs.setdefault(id, {"project": project, "name": name, "rows": []})["rows"]
        rows.append(config)
        summary = self.runs[id].setdefault("summary", {})
        log = lambda numbers, step: rows.append((step, numbers))  # noqa: E731
        finish = lambda: rows.append("finished")  # noqa: E731
        return types.SimpleNamespace(id=id, log=log, finish=finish, summary=summary)


@pytest.fixture
def fakes(monkeypatch):
    found = {"mlflow": FakeMlflow(), "wandb": FakeWandb()}
    for name, module in found.items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("MLFLOW_EXPERIMENT_NAME", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_mlflow_gets_settings_numbers_and_scores_in_one_run(tmp_path, fakes):
    (tracker,) = make_trackers(("mlflow",), tmp_path, "dann", SETTINGS)
    follow(tracker)
    (run,) = fakes["mlflow"].runs.values()
    assert (run["in"], run["name"], run["status"]) == ("id of keras_dtl", "dann", "FINISHED")
    assert run["params"] == {"recipe": "dann", "epochs": "2", "source": "folder:photos"}
    scores = [("scores/target/accuracy", 0.75, 2), ("scores/target/n", 4.0, 2)]
    assert run["metrics"] == [("loss", 1.0, 1), ("loss", 0.5, 2), *scores]


def test_wandb_gets_settings_numbers_and_scores_in_one_run(tmp_path, fakes, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    (tracker,) = make_trackers(("wandb",), tmp_path, "dann", SETTINGS)
    follow(tracker)
    (run,) = fakes["wandb"].runs.values()
    assert (run["project"], run["name"]) == ("mine", "dann")
    assert run["rows"] == [SETTINGS, (1, {"loss": 1.0}), (2, {"loss": 0.5}), "finished"]
    assert run["summary"] == {"scores/target/accuracy": 0.75, "scores/target/n": 4.0}


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_training_that_goes_on_is_the_same_run(tmp_path, fakes, name):
    first, again = (TRACKERS[name](tmp_path, "dann", SETTINGS) for _ in range(2))
    first.on_train_begin()
    first.on_epoch_end(0, {"loss": 1.0})
    follow(again, begin=1)
    assert len(fakes[name].runs) == 1


def test_a_tracker_that_refuses_is_told_in_words(tmp_path, fakes):
    fakes["mlflow"].create_run = None
    (tracker,) = make_trackers(("mlflow",), tmp_path, "dann", SETTINGS)
    with pytest.raises(OSError, match="cannot begin a run: 'NoneType'.* MLFLOW_TRACKING_URI"):
        tracker.on_train_begin()


@pytest.mark.parametrize("content", ["", "7", "[1]", "{}", "[" * 10**5])
def test_a_damaged_name_of_a_run_is_told_with_the_way_out(tmp_path, fakes, content):
    (tracker,) = make_trackers(("mlflow",), tmp_path, "dann", SETTINGS)
    (tmp_path / "mlflow.json").write_text(content)
    with pytest.raises(OSError, match=r"mlflow\.json is damaged: .* Remove it, and"):
        tracker.on_train_begin()


def test_names_that_mlflow_refuses_are_spelled_otherwise():
    assert trackers._allowed("a, 50 % (b)/c-d.e") == "a_ 50 _ _b_/c-d.e"


@pytest.mark.parametrize("name", TRACKERS)
def test_a_package_that_is_missing_is_named(name, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, TRACKERS[name].package, None)
    assert main(["train", "dann", "--log", name, "--epochs", "1"]) == 2
    error = capsys.readouterr().err
    assert f"--log {name} needs a package" in error and f"[{name}]" in error


class Recorder(Tracker):
    package = "json"  # which is always there

    def begin(self):
        self.seen = []

    def write(self, numbers, epoch):
        self.seen.append((epoch, sorted(numbers)))

    def finish(self, scores):
        RECORDED.append((self.name, self.settings["recipe"], self.seen, scores))


RECORDED = []


@pytest.mark.slow
def test_a_training_is_followed_and_learns_the_same(tmp_path, monkeypatch):
    monkeypatch.setitem(TRACKERS, "tensorboard", Recorder)
    few = {"source_size": 20, "target_size": 20, "epochs": 2, "min_steps": 1}
    kind = RECIPES["source-only"]
    plain = train(kind(**few, output=tmp_path / "plain"))
    followed = train(kind(**few, output=tmp_path / "followed", log=("tensorboard",)))
    name, recipe, seen, scores = RECORDED.pop()
    assert (name, recipe, scores) == ("followed", "source-only", followed.scores)
    assert [epoch for epoch, _ in seen] == [1, 2]
    assert set(seen[0][1]) >= set(plain.history)
    assert all(map(math.isclose, plain.history["loss"], followed.history["loss"]))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_takes_trackers_and_may_change_them_on_resume(name):
    recipe = RECIPES[name](log=("tensorboard", "wandb"))
    assert "log" in {field.name for field in dataclasses.fields(recipe)}
    assert "log" not in recipe.settings()
