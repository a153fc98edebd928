"""What the recipes of domain adaptation share: two domains, one classifier, the same scores."""

from dataclasses import dataclass
from typing import NamedTuple

from keras_dtl.scripts.recipes.base import Recipe


class Domains(NamedTuple):
    """The four `LabelledImages` of an adaptation; test sets are None where labels are missing."""

    source_train: object
    target_train: object
    source_test: object
    target_test: object


@dataclass(frozen=True)
class DomainAdaptationRecipe(Recipe):
    """A digit network between two named domains."""

    source: str = "digits"
    """Labelled domain: digits, mnist, usps, any TFDS name, or folder:PATH."""
    target: str = "digits_m"
    """Domain to adapt to, whose labels serve for scoring alone: the same names."""
    image_size: int | None = None
    """Side to which images are resized. Default: that of the source."""
    min_steps: int = 150
    """Least number of steps in an epoch: a small source is passed over several times."""
    learning_rate: float = 0.01
    """Initial learning rate; it falls along the paper's curve."""
    batch_norm: str = "joint"
    """What batch normalisation sees: joint, separate or frozen."""

    def method(self, encoder, classifier):
        """Return the `DomainAdaptation` model of these networks."""
        raise NotImplementedError

    def labelled(self, data):
        """Return the images whose labels are learnt."""
        return data.source_train

    def load_data(self):
        from keras_dtl.data import check_same_classes, load, require_classes

        places = {"data_dir": self.data_dir, "manual_dir": self.manual_dir}
        source = load(self.source, "train", image_size=self.image_size, channels=3, **places)
        require_classes(source)
        places |= {"image_size": source.image_shape[:2], "channels": 3}
        target = load(self.target, "train", **places)
        check_same_classes(source, target)
        target_test = None if target.labels is None else load(self.target, "test", **places)
        return Domains(source, target, load(self.source, "test", **places), target_test)

    def build_model(self, data):
        import keras

        from keras_dtl.backbones import lenet, mlp

        encoder = lenet(data.source_train.image_shape, name="encoder")
        features = encoder.output_shape[1:]
        classes = len(data.source_train.classes)
        model = self.method(encoder, mlp(features, (100, 100), classes, name="classifier"))
        model.compile(
            keras.optimizers.SGD(self.learning_rate, momentum=0.9),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=self.jit_compile,
        )
        return model

    def batches(self, data, first_step):
        from keras_dtl.data import domain_batches

        return domain_batches(
            self.labelled(data), data.target_train, self.batch_size, self.seed, first_step
        )

    def steps_per_epoch(self, data):
        from keras_dtl.data import steps_per_epoch

        return max(self.min_steps, steps_per_epoch(self.labelled(data), self.batch_size))

    def schedules(self):
        from keras_dtl.callbacks import inverse_decay

        return {"optimizer.learning_rate": inverse_decay(self.learning_rate)}

    def callbacks(self):
        from keras_dtl.callbacks import ProgressSchedule

        return [ProgressSchedule(self.schedules())]

    def score(self, model, data):
        from keras_dtl.evaluation import evaluate_classifier

        classifier, scores = model.deployable(), {}
        for domain, test in (("source", data.source_test), ("target", data.target_test)):
            if test is not None:
                probabilities = classifier.predict(test.images, batch_size=256, verbose=0)
                scores[domain] = evaluate_classifier(probabilities, test.labels, test.classes)
        return {domain: result.to_dict() for domain, result in scores.items()}

    def report(self, model, data, history, scores, before=None, comparison=None):
        from keras_dtl.scripts.recipes.domain_report import domain_report

        return domain_report(self, model, data, history, scores, before, comparison)

    def export_arguments(self, data):
        return {"classes": data.source_train.classes}

    def headline(self, scores):
        return {f"accuracy on {domain}": s["accuracy"] for domain, s in scores.items()}
