"""What the recipes of domain adaptation share: two domains, one classifier, the same scores."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from keras_dtl.recipes.base import Recipe
from keras_dtl.recipes.encoders import networks_of, new_encoder

VALIDATIONS = 10
"""How often validators score a training, at most."""


class Domains(NamedTuple):
    """The `LabelledImages` of an adaptation; test sets are None where labels are missing."""

    source_train: object
    target_train: object
    source_test: object
    target_test: object
    target_labelled: object = None
    """The few target images whose labels are learnt; then `target_train` holds the others."""


@dataclass(frozen=True)
class DomainAdaptationRecipe(Recipe):
    """A classifier between two named domains."""

    source: str = "digits"
    """Labelled domain: digits, mnist, usps, any TFDS name, or folder:PATH."""
    target: str = "digits_m"
    """Domain to adapt to, whose labels serve for scoring alone: the same names."""
    image_size: int | None = None
    """Side to which images are resized. Default: that of the source."""
    min_steps: int = 150
    """Least number of steps in an epoch: a small source is passed over several times."""
    source_size: int | None = None
    """Train on so many source images, drawn by the seed. Default: all."""
    target_size: int | None = None
    """Train on so many target images, drawn by the seed. Default: all."""
    shots: int = 0
    """Target images of each class whose labels are learnt, drawn by the seed."""
    augment: Literal["none", "affine", "intensity", "both"] = "none"
    """Change training images of both domains at random. affine: turned, stretched, slanted and
    moved; intensity: contrast, brightness and, for half of them, the negative."""
    backbone: str = "lenet"
    """Encoder: lenet, or an architecture of keras.applications, such as MobileNetV2."""
    weights: str | None = None
    """Weights of that architecture: imagenet, or a file. Default: random ones."""
    encoder_rate: float | None = None
    """Learning rate of the encoder as a multiple of the new layers'. Default: 0.1 with weights,
    else 1."""
    start: str | None = None
    """Run folder whose trained networks the training starts from."""
    learning_rate: float = 0.01
    """Initial learning rate; it falls along the paper's curve."""
    batch_norm: Literal["joint", "separate", "frozen"] = "joint"
    """What batch normalisation sees."""
    select: Literal["last", "entropy", "information", "density", "dev", "reverse"] = "last"
    """Which weights are published: the last, or the best by a validator without target labels."""
    validators: bool = False
    """Keep the best weights by every validator and score them all, the oracle's apart."""

    def method(self, encoder, classifier):
        """Return the `DomainAdaptation` model of these networks."""
        raise NotImplementedError

    def labelled_images(self, data):
        """Return the images whose labels are learnt."""
        return data.source_train

    def labelled_target(self, data):
        """Return the target images that are learnt beside them, or None."""
        return data.target_labelled

    def load_data(self):
        from keras_dtl.data import check_same_classes, load, renumber, require_classes
        from keras_dtl.recipes.runs import in_classes_of_run

        places = {"data_dir": self.data_dir, "manual_dir": self.manual_dir}
        source = load(self.source, "train", image_size=self.image_size, channels=3, **places)
        require_classes(source)
        places |= {"image_size": source.image_shape[:2], "channels": 3}
        target = load(self.target, "train", **places)
        check_same_classes(source, target)
        target_test = None if target.labels is None else load(self.target, "test", **places)
        source_test = load(self.source, "test", **places)
        source = in_classes_of_run(source, self.start)
        target, source_test, target_test = (
            part and renumber(part, source.classes) for part in (target, source_test, target_test)
        )
        # Tests without labels, of which loading has told, score nothing.
        source_test, target_test = (
            None if part is None or part.labels is None else part
            for part in (source_test, target_test)
        )
        if source_test is None and (self.validators or self.select != "last"):
            raise ValueError("Validators need a labelled test split of the source.")
        source = self._sample(source, self.source_size)
        target = self._sample(target, self.target_size)
        target, labelled = self._split_shots(target)
        return Domains(source, target, source_test, target_test, labelled)

    def _sample(self, examples, size):
        from keras_dtl.data.splits import sample

        return examples if size is None else examples.subset(sample(len(examples), size, self.seed))

    def _split_shots(self, target):
        """Return the target images without known labels, and those with, or None."""
        from keras_dtl.data import require_classes
        from keras_dtl.data.splits import shot_split

        if not self.shots:
            return target, None
        require_classes(target)
        chosen, rest = shot_split(target.labels, self.shots, self.seed)
        return target.subset(rest), target.subset(chosen)

    def build_model(self, data):
        import keras

        model = self.method(*self.networks(data))
        rate = self.encoder_rate or (0.1 if self.weights else 1.0)
        model.compile(
            **self.optimizers(),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=self.jit_compile,
            learning_rate_multipliers=None if rate == 1 else {"encoder": rate},
        )
        return model

    def optimizers(self) -> dict:
        """Return the optimizers by the names that the model's `compile` gives them."""
        import keras

        return {"optimizer": keras.optimizers.SGD(self.learning_rate, momentum=0.9)}

    def networks(self, data) -> tuple:
        """Return the encoder and the classifier, new or those of the run to start from."""
        if self.start is not None:
            return networks_of(self.start)
        encoder = new_encoder(self.backbone, data.source_train.image_shape, self.weights)
        return encoder, self.head(encoder.output_shape[1:], len(data.source_train.classes))

    def head(self, features: tuple, classes: int):
        """Return the classifier of features of this shape."""
        from keras_dtl.backbones import mlp

        return mlp(features, (100, 100), classes, name="classifier")

    def batches(self, data, first_step: int):
        from keras_dtl.data import domain_batches
        from keras_dtl.data.augmentation import AUGMENTATIONS

        return domain_batches(
            self.labelled_images(data),
            data.target_train,
            self.batch_size,
            self.seed,
            first_step,
            target_labelled=self.labelled_target(data),
            augment=AUGMENTATIONS[self.augment],
        )

    def steps_per_epoch(self, data) -> int:
        from keras_dtl.data import steps_per_epoch

        return max(self.min_steps, steps_per_epoch(self.labelled_images(data), self.batch_size))

    def schedules(self) -> dict:
        from keras_dtl.callbacks import inverse_decay, reversal_ramp

        schedules = {"optimizer.learning_rate": inverse_decay(self.learning_rate)}
        if getattr(self, "adaptation_weight", None) == "auto":
            schedules["balance.strength"] = reversal_ramp()
        return schedules

    def callbacks(self, data) -> list:
        from keras_dtl.callbacks import Measure, ProgressSchedule

        callbacks = [ProgressSchedule(self.schedules())]
        if self.validators or self.select != "last":
            from keras_dtl.evaluation import Validation
            from keras_dtl.recipes.domain_selection import keepers

            every = max(1, self.epochs // VALIDATIONS)
            parts = data.source_train, data.source_test, data.target_train, data.target_test
            callbacks.append(Measure(Validation(*parts, seed=self.seed), every))
            callbacks += keepers(self.run_folder).values()
        return callbacks

    def select_weights(self, model, data) -> dict | None:
        from keras_dtl.recipes.domain_selection import select_weights

        if self.validators or self.select != "last":
            return select_weights(self, model, data)
        return None

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation import evaluate_classifier

        classifier, scores = model.deployable(), {}
        for domain, test in (("source", data.source_test), ("target", data.target_test)):
            if test is not None:
                probabilities = classifier.predict(test.images, batch_size=256, verbose=0)
                scores[domain] = evaluate_classifier(probabilities, test.labels, test.classes)
        return {domain: result.to_dict() for domain, result in scores.items()}

    def report(self, model, data, history, scores, before=None, comparison=None):
        from keras_dtl.recipes.domain_report import domain_report

        return domain_report(self, model, data, history, scores, before, comparison)

    def export_arguments(self, data) -> dict:
        return {"classes": data.source_train.classes}

    def headline(self, scores: dict) -> dict:
        return {f"accuracy on {domain}": s["accuracy"] for domain, s in scores.items()}
