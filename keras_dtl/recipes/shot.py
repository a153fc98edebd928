"""Source-free adaptation of a trained run (Liang et al. 2020).

keras-dtl train source-only --source digits --target digits_m
keras-dtl adapt runs/source-only --target digits_m
keras-dtl adapt runs/source-only --target folder:photos --output runs/adapted
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from keras_dtl.prediction import predict
from keras_dtl.recipes.base import Recipe
from keras_dtl.recipes.encoders import networks_of
from keras_dtl.recipes.rates import CAREFUL_CLIPPING, Preset, Training, training_of


class Target(NamedTuple):
    """What a trained run is adapted to."""

    train: object
    """`LabelledImages`, whose labels are not looked at."""
    test: object
    """Those that are scored on, or None where labels are missing."""
    classes: tuple[str, ...]
    """Those of the run."""


@dataclass(frozen=True)
class SHOTRecipe(Recipe):
    """A trained run adapts to images alone, without its source (Liang et al. 2020)."""

    name: ClassVar[str] = "shot"
    suits: ClassVar[str] = (
        "for a finished run whose source may not be used again; see keras-dtl adapt"
    )

    epochs: int = 15
    """Passes over the target; at the start of each its centroids are taken anew."""
    start: str = "runs/source-only"
    """Run folder whose trained networks adapt."""
    target: str = "digits_m"
    """Images to adapt to: digits_m, any TFDS name, folder:PATH, with classes or without."""
    preset: Preset = "robust"
    """robust: warmed up and clipped, since answers that the first steps make certain of one class
    never leave it; paper: neither."""
    learning_rate: float | None = None
    """Initial learning rate; it falls along the curve of Ganin et al. (2016). Default: 0.01."""
    encoder_rate: float | None = None
    """Learning rate of the encoder as a multiple of the classifier's. Default: 0.1."""
    pseudo_label_weight: float = 0.3
    """Weight of the pseudo-labels."""
    diversity_weight: float = 1.0
    """Weight of the diversity of answers; less where the target's classes are of unlike size."""
    batch_norm: Literal["joint", "frozen"] = "frozen"
    """What batch normalisation sees: the target's batches, or what it came with."""
    augment: Literal["none", "crop", "strong", "affine", "intensity", "both"] = "none"
    """Change training images at random, as for the other methods."""
    min_steps: int = 50
    """Least number of steps in an epoch: few images are passed over several times."""

    def load_data(self):
        from keras_dtl.data import load, renumber
        from keras_dtl.recipes.runs import run_classes

        shape = networks_of(self.start)[0].input_shape[1:]
        places = {"data_dir": self.data_dir, "manual_dir": self.manual_dir}
        places |= {"image_size": shape[:2], "channels": shape[2]}
        train = load(self.target, "train", **places)
        classes = run_classes(Path(self.start))
        if classes is None:
            place = Path(self.start) / "settings.json"
            raise ValueError(f"{place} names no classes. Give the run of a classifier.")
        if train.labels is None:
            return Target(train, None, classes)
        test = renumber(load(self.target, "test", **places), classes, f"the run {self.start}")
        return Target(train.without_labels(), None if test.labels is None else test, classes)

    def build_model(self, data):
        import keras

        from keras_dtl.methods import SHOT

        model = SHOT(
            *networks_of(self.start, self.batch_norm),
            pseudo_label_weight=self.pseudo_label_weight,
            diversity_weight=self.diversity_weight,
            batch_norm=self.batch_norm,
        )
        rate, encoder_rate, clip, _ = self.training
        model.compile(
            keras.optimizers.SGD(rate, momentum=0.9, global_clipnorm=clip),
            jit_compile=self.jit_compile,
            learning_rate_multipliers={"encoder": encoder_rate},
        )
        return model

    @property
    def training(self) -> Training:
        """The `Training` of networks that know something already, where flags leave it open."""
        training = training_of(self, "auto", pretrained=True)
        if self.preset == "paper":
            return training
        return training._replace(global_clipnorm=CAREFUL_CLIPPING)

    def batches(self, data, first_step):
        from keras_dtl.data import endless_batches
        from keras_dtl.data.augmentation import AUGMENTATIONS

        change = AUGMENTATIONS[self.augment]
        images = endless_batches(data.train, self.batch_size, self.seed, first_step, change)
        return images.map(lambda target: {"target": target})

    def steps_per_epoch(self, data):
        from keras_dtl.data import steps_per_epoch

        return max(self.min_steps, steps_per_epoch(data.train, self.batch_size))

    def callbacks(self, data):
        from keras_dtl.callbacks import ProgressSchedule, Refresh, inverse_decay

        rate = ProgressSchedule({"optimizer.learning_rate": self.training.schedule(inverse_decay)})
        return [rate, Refresh(data.train.images)]

    def failure_watch(self, data):
        from keras_dtl.callbacks import FailureWatch
        from keras_dtl.recipes.verdict import probe_without_labels

        target = probe_without_labels(data.train, self.seed)
        return FailureWatch(target=target, classes=data.classes)

    def verdict(self, scores):
        from keras_dtl.recipes.verdict import collapse, guessing_failure

        collapsed = collapse(scores["answers"])
        if collapsed is None and "target" in scores:
            return guessing_failure(scores["target"])
        return collapsed

    def score(self, model, data):
        from keras_dtl.evaluation import compare_answers, evaluate_classifier
        from keras_dtl.methods.classifier import deployed_classifier

        before = deployed_classifier(*networks_of(self.start), "before")
        networks, test = {"before": before, "target": model.deployable()}, data.test
        answers = [predict(network, data.train.images) for network in networks.values()]
        scores = {"answers": compare_answers(*answers, data.classes)}
        if test is not None:
            for name, network in networks.items():
                found = evaluate_classifier(
                    predict(network, test.images), test.labels, test.classes
                )
                scores[name] = found.to_dict()
        return scores

    def headline(self, scores):
        shares = {"answers that changed": scores["answers"]["changed"]}
        names = {"before": "accuracy before", "target": "accuracy on target"}
        return {**{w: scores[n]["accuracy"] for n, w in names.items() if n in scores}, **shares}

    def report(self, model, data, history, scores):
        from keras_dtl.evaluation import Report, figures
        from keras_dtl.recipes.domain_report import add_confusion, add_labelled_images

        report = Report(
            f"{self.name}: {self.start} to {self.target}",
            f"{self.length}, seed {self.seed}, {len(data.train)} images without labels.",
            self.printed_headline(scores),
        )
        report.add_figure("Training", figures.curves(history), "Mean over each epoch's steps.")
        report.add_text("Answers", scores["answers"]["words"])
        rows = scores["answers"]["shares"]
        report.add_table("Answers", [{"class": name, **row} for name, row in rows.items()])
        add_labelled_images(report, "Target images.", data.train)
        names = {"before": "target, before the adaptation", "target": "target, after it"}
        add_confusion(report, {words: scores[n] for n, words in names.items() if n in scores})
        report.add_table("Settings", self.settings(), collapsed=True)
        return report

    def export_arguments(self, data):
        return {"classes": data.classes}

    def export_examples(self, data):
        return (data.train if data.test is None else data.test).images
