"""What every experiment has: settings that are flags, and the questions that a training asks it."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from tyro.conf import arg

from keras_dtl.files import resolved

MACHINE_SETTINGS = (
    *("output", "artifact", "resume", "overwrite", "export_anyway", "keep_versions"),
    *("data_dir", "manual_dir", "npz_images", "npz_labels"),
    *("log", "settings_file"),
    *("devices", "workers", "worker", "worker_timeout", "engine", "address"),
)
"""Settings that may change when a training is resumed: they do not change what is learnt."""


@dataclass(frozen=True)
class Recipe:
    """One method's experiment. A field is a flag of `keras-dtl train`."""

    name: ClassVar[str]
    data_kind: ClassVar[str | None] = None
    """What folders hold, where their names do not say so: see `keras_dtl.data.inspection`."""
    suits: ClassVar[str] = ""
    """The case that it is for, in words that begin with "for"."""
    onednn: ClassVar[bool] = True
    """Whether oneDNN makes its steps quicker, as those on many images, not on single ones."""
    next_words: ClassVar[str] = ""
    """What `keras-dtl` is told next, of `{run}` and `{artifact}`. Default: by the model's task."""

    epochs: int = 20
    """Passes over the source, of which the schedules take the whole as their length."""
    batch_size: int = 64
    """Images of each domain in a step."""
    seed: int = 0
    """Choice of initial weights, dropout and the order of the data."""
    mixed_precision: Literal["off", "float16", "bfloat16"] = "off"
    """Compute in 16 bits: float16 suits GPUs, bfloat16 recent CPUs and GPUs."""
    jit: Literal["off", "on"] = "off"
    """Compile the step with XLA, without the promise of deterministic operations."""
    output: Path | None = None
    """Run folder: checkpoint, model, logs and report. Default: runs/NAME."""
    artifact: Path | None = None
    """Where the exported model is published. Default: exported/NAME, with the run folder's name."""
    resume: bool = False
    """Continue the training that was stopped in the run folder, or one that is finished with
    more --epochs. `train --resume RUN` takes all other settings from the run."""
    overwrite: bool = False
    """Begin anew where the run folder holds a finished training, which is then lost."""
    export_anyway: bool = False
    """Publish even a model that does not beat guessing."""
    keep_versions: int | None = None
    """How many earlier versions of the artifact stay beside the new one. Default: all."""
    settings_file: Annotated[Path | None, arg(name="settings")] = None
    """The settings.json of a run, whose settings hold where no flag says otherwise."""
    log: tuple[Literal["tensorboard", "mlflow", "wandb"], ...] = ()
    """Who gets settings, the numbers of each epoch and the scores, too; each needs the extra of
    its name. Default: the run folder alone."""
    data_dir: Path | None = None
    """Folder of TFDS data sets. Default: TFDS_DATA_DIR, as everywhere."""
    manual_dir: Path | None = None
    """Folder of files fetched by hand, for data sets that need them."""
    npz_images: str | None = None
    """Array of images in npz:PATH.npz, as npz:PATH.npz:IMAGES,LABELS. Default: x, images, ..."""
    npz_labels: str | None = None
    """Array of classes in npz:PATH.npz. Default: y, labels, ..."""
    devices: str = "1"
    """Devices of this machine that share each batch: a number, or all its GPUs."""
    workers: str | None = None
    """Machines that share each batch, HOST:PORT,HOST:PORT: start the same command on each. Default:
    what TF_CONFIG says. With --engine ray: how many."""
    worker: int | None = None
    """Which of --workers this process is, from 0. Default: the one whose host is this machine."""
    worker_timeout: float = 300.0
    """Seconds that workers wait for each other at the start."""
    engine: Literal["processes", "ray"] = "processes"
    """Who starts workers: processes, you or a cluster manager; ray, this command on Ray."""
    address: str | None = None
    """Ray cluster, such as auto or HOST:6379. Default: one that is started on this machine."""

    def __post_init__(self):
        """Put the names of arrays into those of the archives, where they belong."""
        if not (self.npz_images or self.npz_labels):
            return
        from keras_dtl.data.names import with_arrays

        names = self._data_names()
        given = {
            name: with_arrays(value, self.npz_images, self.npz_labels) for name, value in names
        }
        if all(given[name] == value for name, value in names):
            raise ValueError(
                "--npz-images and --npz-labels name arrays of npz:PATH.npz, and no data set is one "
                f"without names: {', '.join(given.values())}."
            )
        for name, value in {**given, "npz_images": None, "npz_labels": None}.items():
            object.__setattr__(self, name, value)

    def _data_names(self) -> list[tuple[str, str]]:
        """Return field and value of what names a data set."""
        found = ((name, getattr(self, name, None)) for name in ("source", "target", "photos"))
        return [(name, value) for name, value in found if isinstance(value, str)]

    @property
    def run_folder(self) -> Path:
        """Where the training keeps its checkpoint, model, logs and report."""
        return self.output or Path("runs") / self.name

    @property
    def artifact_folder(self) -> Path:
        """Where the exported model is published."""
        return self.artifact or Path("exported") / resolved(self.run_folder).name

    @property
    def client_size(self) -> tuple[int, int] | None:
        """The `(height, width)` that artifacts resize images to, or None: what the model says."""
        return None

    @property
    def length(self) -> str:
        """The epochs in words: `"1 epoch"`, `"20 epochs"`."""
        return f"{self.epochs} epoch{'s' * (self.epochs != 1)}"

    @property
    def jit_compile(self) -> bool:
        """Whether the step is compiled with XLA, as `compile` of Keras takes it."""
        return self.jit == "on"

    def settings(self) -> dict:
        """Return what decides the result, JSON-ready."""
        fields = dataclasses.asdict(self)
        kept = {key: value for key, value in fields.items() if key not in MACHINE_SETTINGS}
        return {"recipe": self.name, **kept}

    def settings_with(self, data) -> dict:
        """Return the settings together with what export must know of the data.

        Args:
            data: What `load_data` returned, here and below.
        """
        return {**self.settings(), **self.export_arguments(data)}

    def load_data(self):
        """Load what is trained on and what is scored on."""
        raise NotImplementedError

    def data_lines(self) -> list[str]:
        """Return what the data sets are taken for, as `keras-dtl check` says it."""
        names = dict.fromkeys(value for _, value in self._data_names())
        return [line for name in names for line in self._lines_of(name)]

    def _lines_of(self, name: str, holds_out: bool = False) -> list[str]:
        """Return what one data set is taken for.

        Args:
            name: Of the data set.
            holds_out: Whether the recipe itself keeps what is scored on from training.
        """
        from keras_dtl.data.catalogue import EMBEDDED
        from keras_dtl.data.inspection import NO_TEST, describe
        from keras_dtl.data.names import PREFIXES

        lines, prefix = [], name.partition(":")[0]
        if prefix in PREFIXES:
            lines = describe(name, self.data_kind or prefix)
        elif name not in EMBEDDED and self.data_kind is None:
            lines = describe(name, "named", data_dir=self.data_dir)
        return [line for line in lines if not (holds_out and line.startswith(NO_TEST))]

    def build_model(self, data):
        """Return the compiled `Method`."""
        raise NotImplementedError

    def batches(self, data, first_step: int):
        """Return the endless `tf.data.Dataset`, as the method takes its batches.

        Args:
            data: What `load_data` returned.
            first_step: The step of the first batch: to resume, the number of batches seen.
        """
        raise NotImplementedError

    def steps_per_epoch(self, data) -> int:
        """Return how many batches make an epoch."""
        raise NotImplementedError

    def prepare(self, data, strategy) -> None:
        """Train what the model starts from, if anything; every worker calls it."""

    def callbacks(self, data) -> list:
        """Return the schedules, and whatever else the method needs in `fit`, on every worker."""
        return []

    def watchers(self, data) -> list:
        """Return the callbacks that look at the model and leave it as it is, on one worker."""
        return []

    def failure_watch(self, data):
        """Return the `keras_dtl.callbacks.FailureWatch` of a training on these data."""
        from keras_dtl.callbacks import FailureWatch

        return FailureWatch()

    def verdict(self, scores: dict):
        """Return why a trained model is not worth publishing, or None.

        Args:
            scores: What `score` returned.

        Returns:
            `keras_dtl.callbacks.Failure` or None.
        """
        return None

    def select_weights(self, model, data) -> dict | None:
        """Put the weights that are published into a trained model.

        Args:
            model: The `Method`, with its last weights.
            data: What `load_data` returned.

        Returns:
            What there was to choose from, JSON-ready, or None when the last weights stay.
        """
        return None

    def forget_choices(self) -> None:
        """Remove the weights that `select_weights` chose from, once the run is saved."""

    def score(self, model, data) -> dict:
        """Return the measures of a trained model, JSON-ready.

        Args:
            model: The `Method`, with the weights that are published.
            data: What `load_data` returned.
        """
        raise NotImplementedError

    def headline(self, scores: dict) -> dict:
        """Return the few numbers that matter most, by name."""
        raise NotImplementedError

    def format_number(self, name: str, value: float) -> str:
        """Return a number of the headline as it is printed: a share in 0..1 in percent.

        Args:
            name, value: Of the headline; recipes whose headline holds others say so themselves.
        """
        return f"{value:.1%}"

    def printed_headline(self, scores: dict) -> dict[str, str]:
        """Return the headline as it is printed."""
        return {k: self.format_number(k, value) for k, value in self.headline(scores).items()}

    def report(self, model, data, history: dict, scores: dict):
        """Return the `keras_dtl.evaluation.Report` of a trained model.

        Args:
            model: The `Method`, with the weights that are published.
            data: What `load_data` returned.
            history: Logs, `{name: [a value an epoch]}`.
            scores: What `score` returned.
        """
        raise NotImplementedError

    def illustrated_report(self, words: str, model, data, history: dict, scores: dict):
        """Return a report of pictures, curves and scores, for recipes that have one `source`.

        Args:
            words: What was trained, in a sentence.
            model, data, history, scores: As for `report`.
        """
        from keras_dtl.evaluation import Report, figures

        report = Report(f"{self.name}: {self.source}", words, self.printed_headline(scores))
        self.add_pictures(report, model, data)
        report.add_figure("Training", figures.curves(history), "Mean over each epoch's steps.")
        report.add_scores("Scores", scores)
        report.add_table("Settings", self.settings(), collapsed=True)
        return report

    def add_pictures(self, report, model, data) -> None:
        """Add to an `illustrated_report` what the model makes."""
        raise NotImplementedError

    def export_arguments(self, data) -> dict:
        """Return what `export_model` must know beside the model."""
        return {}

    def export_examples(self, data):
        """Return inputs that the model was scored on, uint8 `(examples, height, width, channels)`.

        What is exported is compared with what `predict` makes of the first of them; None where
        random ones do.
        """
        return None
