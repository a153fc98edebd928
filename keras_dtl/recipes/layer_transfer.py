"""The study of Yosinski et al. (2014), one cell after the other."""

import dataclasses
import hashlib
import json
import time

from keras_dtl.files import atomic_path, write_json
from keras_dtl.folders import require_output_folder
from keras_dtl.prediction import predict
from keras_dtl.recipes.encoders import encoder_from
from keras_dtl.recipes.runs import read_object
from keras_dtl.turns import turn

KINDS = {
    # kind -> (whose layers are copied, whether they learn on)
    "BnB": ("B", False),
    "BnB+": ("B", True),
    "AnB": ("A", False),
    "AnB+": ("A", True),
    "random": (None, False),
}
BASES = ("A", "B")
PLACES = ("output", "data_dir", "manual_dir", "minutes", "splits", "seeds", "layers")
"""Settings that may differ when a study goes on: they do not change a cell."""


class LayerTransfer:
    """All cells of a study: which there are, which are done, and training the next.

    A cell depends on its name alone, which seeds it, and on the settings; so a study that was
    killed and goes on ends like one that never stopped.

    Args:
        settings: `keras_dtl.cli.study.Study`.

    Raises:
        NotADirectoryError: When its folder cannot be one.
        ValueError: When the folder holds a study with other settings, or the data does not fit.
    """

    def __init__(self, settings):
        from keras_dtl.data import load, require_classes
        from keras_dtl.methods.networks import learnt_layers

        require_output_folder(settings.folder, "--output")
        self.settings = settings
        self.path = settings.folder / "study.json"
        self.cells = self._read_cells()
        places = {"data_dir": settings.data_dir, "manual_dir": settings.manual_dir}
        self.train = load(settings.source, "train", settings.image_size, **places)
        require_classes(self.train, at_least=4)
        self.test = load(settings.source, "test", self.train.image_shape[:2], **places)
        self.template = _encoder(settings.network, self.train.image_shape)
        self.depth = len(learnt_layers(self.template))
        self.layers = self._check_layers()
        self.halves = [self._halves(split) for split in range(self._splits())]

    # What there is to do ------------------------------------------------------------------

    def plan(self):
        """Return `[(split, seed, kind, layer)]` in order; the bases have the layer 0."""
        kinds = [(f"base{name}", 0) for name in BASES]
        kinds += [(kind, layer) for layer in self.layers for kind in KINDS]
        return [
            (split, seed, *cell)
            for seed in range(self.settings.seeds)
            for split in range(self._splits())
            for cell in kinds
        ]

    def run(self):
        """Train every cell that is not done, and note each at once.

        Raises:
            BlockingIOError: Another study is writing to the same file.
        """
        with turn(self.path, "study", waits=False):
            self._run()

    def _run(self):
        cells = self.plan()
        begun = time.monotonic()
        for number, cell in enumerate(cells, 1):
            if (name := _name(*cell)) in self.cells:
                continue
            limit = self.settings.minutes
            if limit and time.monotonic() - begun > 60 * limit:
                print("Time is up; the same command goes on.")
                return
            self.cells[name] = self.train_cell(*cell)
            write_json(self.path, self.content())
            print(f"{number}/{len(cells)} {name}: {self.cells[name]:.1%}", flush=True)

    def content(self):
        """Return all that is known, in the order of the plan."""
        known = [name for cell in self.plan() if (name := _name(*cell)) in self.cells]
        others = sorted(set(self.cells).difference(known))
        return {
            "study": "layer-transfer",
            "settings": self._fixed_settings(),
            "halves": [{"A": list(a), "B": list(b)} for a, b in self.halves],
            "cells": {name: self.cells[name] for name in [*known, *others]},
        }

    # One cell -----------------------------------------------------------------------------

    def train_cell(self, split, seed, kind, layer):
        """Train one network and return its accuracy on the test images of its task."""
        import keras

        from keras_dtl.backbones import mlp
        from keras_dtl.callbacks.weights_file import write_weights
        from keras_dtl.methods.transfer.layer_transfer import layer_transfer

        source, tuned = KINDS.get(kind, (None, True))
        task = 0 if kind == "baseA" else 1
        train, test = self._task(split, seed, task)
        keras.backend.clear_session()
        keras.utils.set_random_seed(_seed_of(_name(split, seed, kind, layer)))
        encoder = keras.models.clone_model(self.template)
        classifier = mlp(encoder.output_shape[1:], (), len(train.classes), name="classifier")
        trained = self._base(split, seed, source) if source else None
        model = layer_transfer(encoder, classifier, trained, layer, tuned)
        self._fit(model, train, seed)
        if kind.startswith("base"):
            write_weights(encoder, self._weights(split, seed, kind))
        logits = predict(model, test.images)
        return float((logits.argmax(1) == test.labels).mean())

    def _fit(self, model, train, seed):
        import keras

        from keras_dtl.callbacks import ProgressSchedule, StopWhenDiverged, cosine_decay
        from keras_dtl.data import endless_batches, steps_per_epoch

        settings = self.settings
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(settings.learning_rate), loss)
        model.optimizer.build(model.trainable_variables)  # else the step is traced twice
        steps = settings.epochs * steps_per_epoch(train, settings.batch_size)
        rate = cosine_decay(settings.learning_rate)
        model.fit(
            endless_batches(train, settings.batch_size, seed),
            steps_per_epoch=max(settings.min_steps, steps),
            callbacks=[ProgressSchedule({"optimizer.learning_rate": rate}), StopWhenDiverged()],
            verbose=0,
        )

    def _base(self, split, seed, task):
        """Return the encoder that learnt a task, in its last state."""
        import keras

        from keras_dtl.callbacks.weights_file import read_weights

        encoder = keras.models.clone_model(self.template)
        path = self._weights(split, seed, f"base{task}")
        read_weights(encoder, path, "Name another folder with --output.")
        return encoder

    def _weights(self, split, seed, kind):
        return self.path.parent / f"{_name(split, seed, kind, 0)}.weights.h5".replace("/", "-")

    def _task(self, split, seed, task):
        from keras_dtl.data.halves import only_classes
        from keras_dtl.data.splits import shot_split

        classes = self.halves[split][task]
        train, test = only_classes(self.train, classes), only_classes(self.test, classes)
        if self.settings.shots:
            train = train.subset(shot_split(train.labels, self.settings.shots, seed)[0])
        return train, test

    # What came of it ----------------------------------------------------------------------

    def runs(self):
        """Return the accuracies as `keras_dtl.evaluation.transfer_effects` takes them."""
        runs = {}
        for name, accuracy in self.cells.items():
            split, seed, kind, layer = name.split("/")
            run = runs.setdefault((split, seed), {})
            if kind == "baseB":
                run["base"] = accuracy
            elif kind in KINDS:
                run.setdefault(kind, {})[int(layer)] = accuracy
        return [run for run in runs.values() if "base" in run]

    def effects(self):
        from keras_dtl.evaluation import transfer_effects

        return transfer_effects(self.runs())

    def publish(self):
        """Write figure.png and report.html beside study.json."""
        from keras_dtl.evaluation import Report, figures

        runs = self.runs()
        figure = figures.transfer_curves(runs)
        with atomic_path(self.path.with_name("figure.png")) as temporary:
            figure.savefig(temporary, dpi=120)
        report = Report(
            f"Layer transfer on {self.settings.source}",
            f"{len(runs)} networks to start from, {self.depth} layers below the classifier.",
        )
        report.add_figure("Accuracy", figure, "Lines: means; dots: single runs.")
        rows = [{"effect": name, **effect} for name, effect in self.effects().items()]
        report.add_table("Effects", rows)
        words = (
            "Seen: the mean difference to the base of the same run is beyond what chance makes of "
            f"none in 5 % of studies of {len(runs)} runs (Student's t)."
        )
        report.add_text("Effects", words)
        report.add_table("Settings", self._fixed_settings(), collapsed=True)
        report.write(self.path.with_name("report.html"))

    # Checks -------------------------------------------------------------------------------

    def _read_cells(self):
        if not self.path.exists():
            return {}
        remedy = "Remove it, or name another folder with --output."
        before = read_object(self.path, remedy)
        now, then = self._fixed_settings(), before.get("settings")
        if not isinstance(then, dict) or not _are_cells(before.get("cells")):
            raise ValueError(f"{self.path} holds no study. {remedy}")
        changes = [f"{k}: {then.get(k)!r}, now {now[k]!r}" for k in now if now[k] != then.get(k)]
        if changes:
            raise ValueError(
                f"{self.path} was begun with other settings ({', '.join(changes)}). Go on with "
                "the old ones, or name another folder with --output."
            )
        return before["cells"]

    def _fixed_settings(self):
        fields = dataclasses.asdict(self.settings)
        kept = {key: value for key, value in fields.items() if key not in PLACES}
        return json.loads(json.dumps(kept, default=str))

    def _check_layers(self):
        from keras_dtl.methods.transfer.layer_transfer import check_count

        layers = self.settings.layers or range(1, self.depth + 1)
        for layer in layers:
            check_count(layer, self.depth)
        return sorted(set(layers))

    def _splits(self):
        return 1 if self.settings.first_half is not None else self.settings.splits

    def _halves(self, split):
        from keras_dtl.data.halves import class_halves, only_classes

        halves = class_halves(self.train.classes, split, self.settings.first_half)
        for classes in halves:
            only_classes(self.train, classes)
            only_classes(self.test, classes)
        return halves


def _encoder(network, image_shape):
    if network == "conv_net":
        from keras_dtl.backbones import conv_net

        return conv_net(image_shape)
    start = network if network.endswith(".keras") else "random"
    return encoder_from(start, network, image_shape)


def _name(split, seed, kind, layer):
    return f"split{split}/seed{seed}/{kind}/{layer}"


def _seed_of(name):
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") >> 1


def _are_cells(value):
    kinds = isinstance(value, dict) and all(isinstance(v, (int, float)) for v in value.values())
    return kinds and all(len(name.split("/")) == 4 for name in value)
