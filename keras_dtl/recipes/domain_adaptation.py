"""What the recipes of domain adaptation share: two domains, one classifier, the same scores."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.prediction import predict
from keras_dtl.recipes.base import Recipe
from keras_dtl.recipes.encoders import hasten_statistics, networks_of, new_encoder
from keras_dtl.recipes.rates import (
    LENET_SIZE,
    SMALL_BACKBONES,
    Preset,
    Training,
    backbone_of,
    training_of,
)

VALIDATIONS = 10
"""How often validators score a training, at most."""


@dataclass(frozen=True)
class DomainAdaptationRecipe(Recipe):
    """A classifier between two named domains."""

    ramped: ClassVar[bool] = False
    """Whether the method's `adaptation_strength` rises from 0 to 1."""

    source: str = "digits"
    """Labelled domain: digits, mnist, usps, any TFDS name, or folder:PATH."""
    target: str = "digits_m"
    """Domain to adapt to, whose labels serve for scoring alone: the same names."""
    image_size: int | None = None
    """Side in pixels to which images are resized. Default: that of the source."""
    min_steps: int = 150
    """Least number of steps in an epoch: a small source is passed over several times."""
    source_size: int | None = None
    """Train on so many source images, drawn by the seed. Default: all."""
    target_size: int | None = None
    """Train on so many target images, drawn by the seed. Default: all."""
    shots: int = 0
    """Target images of each class whose labels are learnt, drawn by the seed."""
    augment: Literal["none", "crop", "mixed", "strong", "affine", "intensity", "both"] = "none"
    """Change training images of both domains at random. crop, for photos: mirrored and cut; strong:
    so and by two operations of RandAugment; mixed: half of them crop, half strong; affine: turned,
    stretched, slanted and moved; intensity: contrast, brightness and, for half, the negative."""
    even_classes: bool = False
    """Show the source's classes equally often, the images of rarer ones several times over."""
    preset: Preset = "robust"
    """What is left open: robust, what learns at every size of image, with warm-up, clipped
    gradients and an adversary that waits for the labels; paper, the published settings."""
    backbone: str = "auto"
    """Encoder: lenet, stage_net, or an architecture of keras.applications, such as MobileNetV2.
    Default: lenet for images up to 32 pixels, which it was made for, else stage_net, whose
    features do not grow with the image."""
    weights: str | None = None
    """Weights of that architecture: imagenet, or a file. Default: random ones."""
    encoder_rate: float | None = None
    """Learning rate of the encoder as a multiple of the new layers'. Default: 0.1 with weights,
    which large steps would destroy, else 1."""
    start: str | None = None
    """Run folder whose trained networks the training starts from."""
    learning_rate: float | None = None
    """Initial learning rate of SGD; it falls along the paper's curve. Default: the paper's 0.01;
    0.02 for architectures at random, whose normalised layers want more."""
    batch_norm: Literal["joint", "separate", "frozen"] | None = None
    """What batch normalisation sees. Default: frozen with weights, whose statistics a few batches
    of another domain would spoil, else joint."""
    label_shift: bool = False
    """The target may hold the classes in other shares than the source: estimate them, and align the
    domains in the target's shares. For methods that align domains."""
    adapt_statistics: bool = False
    """After training, put in batch normalisation's statistics of target images (AdaBN)."""
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
        from keras_dtl.recipes.domains import load_domains

        return load_domains(self)

    def build_model(self, data):
        import keras

        encoder, classifier = self.networks(data)
        if self.adapt_statistics:
            from keras_dtl.methods import check_statistics

            untrained = not (self.weights or self.start) and self.normalization != "frozen"
            check_statistics(encoder, classifier, trained=not untrained)
        model = self.method(encoder, classifier)
        if not model.label_shift:
            self.refuse_label_shift()
        rate = self.training.encoder_rate
        model.compile(
            **self.optimizers(),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=self.jit_compile,
            learning_rate_multipliers=None if rate == 1 else {"encoder": rate},
        )
        return model

    def refuse_label_shift(self) -> None:
        """Refuse the option, where the method aligns no domains in the shares of classes."""
        if self.label_shift:
            raise ValueError(
                f"{self.name} takes no account of label shift: leave --label-shift out."
            )

    @property
    def training(self) -> Training:
        """The `Training` that the flags leave open or set."""
        return training_of(self, self.backbone, self.weights is not None)

    @property
    def normalization(self) -> str:
        """What batch normalisation sees, answered where the flag leaves it open."""
        pretrained = self.weights is not None and self.preset == "robust"
        return self.batch_norm or ("frozen" if pretrained else "joint")

    def is_restrained(self, encoder) -> bool:
        """Return whether an adversary waits until labels are learnt.

        Not on images of up to 32 pixels: there the published training does not collapse, and
        digits gain 2 points with waiting where they gain 15 without.
        """
        return self.preset == "robust" and max(encoder.input_shape[1:3]) > LENET_SIZE

    def optimizers(self) -> dict:
        """Return the optimizers by the names that the model's `compile` gives them."""
        import keras

        rate, clip = self.training.learning_rate, self.training.global_clipnorm
        return {"optimizer": keras.optimizers.SGD(rate, momentum=0.9, global_clipnorm=clip)}

    def networks(self, data) -> tuple:
        """Return the encoder and the classifier, new or those of the run to start from."""
        if self.start is not None:
            return networks_of(self.start, self.batch_norm)
        shape = data.source_train.image_shape
        backbone = backbone_of(self.backbone, shape, self.preset)
        encoder = new_encoder(backbone, shape, self.weights)
        if backbone not in SMALL_BACKBONES and self.normalization != "frozen":
            hasten_statistics(encoder)
        return encoder, self.head(encoder.output_shape[1:], len(data.source_train.classes))

    def head(self, features: tuple, classes: int):
        """Return the classifier of features of this shape."""
        from keras_dtl.backbones import mlp

        return mlp(features, (100, 100), classes, name="classifier")

    def batches(self, data, first_step: int):
        from keras_dtl.data import domain_batches
        from keras_dtl.data.augmentation import AUGMENTATIONS

        labelled = self.labelled_images(data)
        if self.even_classes:
            from keras_dtl.data.splits import balanced_positions

            labelled = labelled.subset(balanced_positions(labelled.labels))
        return domain_batches(
            labelled,
            data.target_train,
            self.batch_size,
            self.seed,
            first_step,
            target_labelled=self.labelled_target(data),
            augment=AUGMENTATIONS[self.change()],
            strong=self.strong_changes(),
        )

    def change(self) -> str:
        """Return the name of the change of training images."""
        return self.augment

    def strong_changes(self):
        """Return the change of images that a method compares each image with, or None."""
        return None

    def steps_per_epoch(self, data) -> int:
        from keras_dtl.data import steps_per_epoch

        return max(self.min_steps, steps_per_epoch(self.labelled_images(data), self.batch_size))

    def schedules(self) -> dict:
        from keras_dtl.callbacks import inverse_decay, reversal_ramp

        schedules = {"optimizer.learning_rate": self.training.schedule(inverse_decay)}
        if self.ramped:
            schedules["adaptation_strength"] = reversal_ramp()
        if getattr(self, "adaptation_weight", None) == "auto":
            schedules["balance.strength"] = reversal_ramp()
        return schedules

    def callbacks(self, data) -> list:
        from keras_dtl.callbacks import ProgressSchedule

        return [ProgressSchedule(self.schedules())]

    def watchers(self, data) -> list:
        from keras_dtl.callbacks import Measure, Watch
        from keras_dtl.evaluation import AdaptationWatch, Validation

        watch = Watch(AdaptationWatch(data.target_train.images))
        if not self.validators and self.select == "last":
            return [watch]
        from keras_dtl.recipes.domain_selection import keepers

        every = max(1, self.epochs // VALIDATIONS)
        parts = data.source_train, data.source_test, data.target_train, data.target_test
        measure = Measure(Validation(*parts, seed=self.seed), every)
        return [watch, measure, *keepers(self.run_folder).values()]

    def failure_watch(self, data):
        from keras_dtl.callbacks import FailureWatch
        from keras_dtl.recipes.verdict import PROBED_HELD_OUT, probe, probe_without_labels

        learnt = self.labelled_images(data)
        held_out = data.source_test if learnt is data.source_train else data.target_test
        target = probe_without_labels(data.target_train, self.seed)
        known, others = probe(learnt, self.seed), probe(held_out, self.seed, PROBED_HELD_OUT)
        return FailureWatch(known, others, target, learnt.classes)

    def verdict(self, scores: dict):
        from keras_dtl.recipes.verdict import guessing_failure

        domain = "target" if getattr(self, "labels_from", "source") == "target" else "source"
        return guessing_failure(scores[domain]) if domain in scores else None

    def select_weights(self, model, data) -> dict | None:
        from keras_dtl.recipes.domain_selection import select_weights

        selection = None
        if self.validators or self.select != "last":
            selection = select_weights(self, model, data)
        if self.adapt_statistics:
            from keras_dtl.methods import adapt_statistics

            adapt_statistics(model, data.target_train.images)
        return selection

    def forget_choices(self) -> None:
        from keras_dtl.recipes.domain_selection import keepers

        for keeper in keepers(self.run_folder).values():
            keeper.path.unlink(missing_ok=True)

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation import evaluate_classifier

        classifier, scores = model.deployable(), {}
        for domain, test in (("source", data.source_test), ("target", data.target_test)):
            if test is not None:
                probabilities = predict(classifier, test.images)
                scores[domain] = evaluate_classifier(probabilities, test.labels, test.classes)
        return {domain: result.to_dict() for domain, result in scores.items()}

    def report(self, model, data, history, scores, before=None, comparison=None):
        from keras_dtl.recipes.domain_report import domain_report

        return domain_report(self, model, data, history, scores, before, comparison)

    def export_arguments(self, data) -> dict:
        return {"classes": data.source_train.classes}

    def export_examples(self, data):
        test = data.source_test if data.target_test is None else data.target_test
        return None if test is None else test.images

    def headline(self, scores: dict) -> dict:
        return {f"accuracy on {domain}": s["accuracy"] for domain, s in scores.items()}
