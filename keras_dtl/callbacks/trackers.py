"""A training followed by TensorBoard, MLflow or Weights & Biases, as well as by its run folder."""

import importlib
import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_dtl.callbacks.logged import numbers
from keras_dtl.files import read_regular, write_json

_LARGEST = 2**20  # bytes of the file that names a run
PROJECT = "keras_dtl"
"""Experiment of MLflow and project of Weights & Biases, unless their own variables name another."""


class TrackerError(OSError):
    """A tracker that cannot be reached, or refuses a run."""


class Tracker(keras.callbacks.Callback):
    """Hands the numbers of each epoch on. Subclasses say to whom.

    A training that was stopped and goes on is the same run: its identity is kept in the run folder.

    Args:
        folder: Of the run.
        name: Of the run, such as `"dann"`.
        settings: JSON-ready settings of the training.
    """

    package = ""
    """Module that is needed; the extra of setup.cfg bears the tracker's name."""
    remedy = ""
    """What to do where it cannot begin a run, after a space."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]):
        super().__init__()
        self.folder, self.name, self.settings = Path(folder), name, dict(settings)

    def on_train_begin(self, logs=None):
        try:
            self.begin()
        # The errors of these packages have no base class but Exception.
        except Exception as error:
            words = f"{self.package} cannot begin a run: {str(error).rstrip('.')}.{self.remedy}"
            raise TrackerError(words) from error

    def on_epoch_end(self, epoch, logs=None):
        self.write(numbers(logs), epoch + 1)

    def begin(self) -> None:
        """Open the run, a new one or the one that was begun."""
        raise NotImplementedError

    def write(self, numbers: dict[str, float], epoch: int) -> None:
        """Note the numbers of an epoch, counted from 1."""
        raise NotImplementedError

    def finish(self, scores: Mapping[str, Any]) -> None:
        """Note the scores of the trained model, and close the run.

        Args:
            scores: As `scores.json` holds them: numbers, in nested dictionaries.
        """
        raise NotImplementedError

    def identity(self) -> str | None:
        """Return by which name the tracker knows a run that was begun, or None."""
        path = self.folder / f"{self.package}.json"
        if not path.is_file():
            return None
        try:
            return str(json.loads(read_regular(path, _LARGEST))["run"])
        except (ValueError, RecursionError, LookupError, TypeError) as error:
            raise ValueError(
                f"{path} is damaged: {error}. Remove it, and the tracker begins another run"
            ) from error

    def remember(self, identity: str) -> None:
        """Keep the name by which the tracker knows the run."""
        write_json(self.folder / f"{self.package}.json", {"run": identity})


class TensorBoardTracker(Tracker):
    """Writes event files to `tensorboard/` in the run folder: `tensorboard --logdir runs`."""

    package = "tensorboard"

    def begin(self):
        import tensorflow as tf

        self.summary = tf.summary
        self.writer = tf.summary.create_file_writer(str(self.folder / "tensorboard"))
        text = json.dumps(self.settings, indent=2, default=str)
        with self.writer.as_default():
            tf.summary.text("settings", f"```\n{text}\n```", step=0)

    def write(self, numbers, epoch):
        with self.writer.as_default():
            for name, value in numbers.items():
                self.summary.scalar(name, value, step=epoch)
        self.writer.flush()  # a training that is killed keeps what was written

    def finish(self, scores):
        last = self.settings.get("epochs") or 0
        with self.writer.as_default():
            for name, value in flat_numbers(scores):
                self.summary.scalar(f"scores/{name}", value, step=last)
        self.writer.close()


class MLflowTracker(Tracker):
    """Logs to the server that `MLFLOW_TRACKING_URI` names, such as `http://localhost:5000`.

    The extra holds `mlflow-skinny`, which speaks to servers; the package `mlflow` keeps files too,
    such as `sqlite:///mlflow.db`.
    """

    package = "mlflow"
    remedy = (
        " Set MLFLOW_TRACKING_URI to a server, such as http://localhost:5000. A file, such as "
        "sqlite:///mlflow.db, takes the whole package: pip install mlflow."
    )

    def begin(self):
        client = self.client = importlib.import_module("mlflow").MlflowClient()
        self.run = self.identity()
        if self.run is None:
            experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
            known = client.get_experiment_by_name(experiment)
            place = known.experiment_id if known else client.create_experiment(experiment)
            self.run = client.create_run(place, run_name=self.name).info.run_id
            self.remember(self.run)
            for name, value in self.settings.items():
                client.log_param(self.run, name, str(value)[:500])
        else:
            client.update_run(self.run, status="RUNNING")

    def write(self, numbers, epoch):
        now = int(1000 * time.time())
        for name, value in numbers.items():
            self.client.log_metric(self.run, _allowed(name), value, timestamp=now, step=epoch)

    def finish(self, scores):
        named = {f"scores/{name}": value for name, value in flat_numbers(scores)}
        self.write(named, self.settings.get("epochs") or 0)
        self.client.set_terminated(self.run, "FINISHED")


class WandbTracker(Tracker):
    """Logs to Weights & Biases; `WANDB_MODE=offline` keeps it in the run folder."""

    package = "wandb"

    def begin(self):
        self.run = importlib.import_module("wandb").init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            name=self.name,
            id=self.identity(),
            resume="allow",
            config=self.settings,
            dir=str(self.folder),
        )
        self.remember(self.run.id)

    def write(self, numbers, epoch):
        self.run.log(numbers, step=epoch)

    def finish(self, scores):
        self.run.summary.update({f"scores/{name}": x for name, x in flat_numbers(scores)})
        self.run.finish()


TRACKERS = {"tensorboard": TensorBoardTracker, "mlflow": MLflowTracker, "wandb": WandbTracker}
"""Trackers by the name of `--log`, which is that of the extra, too."""


def make_trackers(
    names: tuple[str, ...], folder: Path, name: str, settings: Mapping[str, Any]
) -> list[Tracker]:
    """Return the trackers of a training.

    Args:
        names: Keys of `TRACKERS`.
        folder, name, settings: As of `Tracker`.

    Raises:
        ImportError: A package is not installed; the message says how to mend it.
    """
    for one in names:
        try:
            importlib.import_module(TRACKERS[one].package)
        except ImportError as error:
            raise ImportError(
                f'--log {one} needs a package that is not installed: pip install -e ".[{one}]" in '
                f"a checkout, or pip install {one}"
            ) from error
    return [TRACKERS[one](folder, name, settings) for one in names]


def flat_numbers(scores: Mapping[str, Any], prefix: str = ""):
    """Yield `("target/accuracy", 0.9)` of nested dictionaries; what is no number is left out."""
    for name, value in scores.items():
        if isinstance(value, Mapping):
            yield from flat_numbers(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{prefix}{name}", float(value)


def _allowed(name: str) -> str:
    """Return a name of the characters that MLflow takes."""
    return re.sub(r"[^\w\-. /]", "_", name)
