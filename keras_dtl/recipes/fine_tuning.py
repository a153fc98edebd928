"""Fine-tuning: learn a task from an encoder that has learnt another.

keras-dtl train source-only --source digits --target digits_m
keras-dtl train fine-tuning --target digits_m --shots 20 --start runs/source-only
keras-dtl train fine-tuning --target folder:photos --backbone MobileNetV2 --start imagenet \
    --train-from block_13 --encoder-rate 0.1

The same with `--start random` says whether it helped.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from keras_dtl.prediction import predict
from keras_dtl.recipes.base import Recipe
from keras_dtl.recipes.encoders import encoder_from, hasten_statistics
from keras_dtl.recipes.rates import Preset, Training, backbone_of, training_of


class Labelled(NamedTuple):
    """The `LabelledImages` that are learnt and those that are scored on."""

    train: object
    test: object


@dataclass(frozen=True)
class FineTuningRecipe(Recipe):
    """As much of a pretrained encoder as is wanted learns another task (Yosinski et al. 2014)."""

    name: ClassVar[str] = "fine-tuning"
    suits: ClassVar[str] = "for labels in the target, few or many"

    batch_size: int = 32
    """Images in a step."""
    target: str = "digits_m"
    """Labelled images to learn: digits, mnist, any TFDS name, or folder:PATH."""
    start: str = "random"
    """Where the encoder's weights come from: random; imagenet or a file of weights of the
    backbone; the folder of a finished run; or a .keras file of an encoder of uint8 images."""
    preset: Preset = "robust"
    """What is left open: robust, what learns whatever the encoder comes with, with warm-up and
    clipped gradients; paper, one rate for all layers."""
    backbone: str = "auto"
    """Encoder: lenet, stage_net, or an architecture of keras.applications, such as MobileNetV2.
    Default: lenet for images up to 32 pixels, else stage_net."""
    train_from: str = "input"
    """Where learning begins: input, all layers; head, the classifier alone; the name of a layer
    or its beginning, such as block_13; or how many of the encoder's last layers."""
    encoder_rate: float | None = None
    """Learning rate of the encoder as a multiple of the classifier's. Default: 0.1 for an
    encoder that comes with weights, which the full rate would destroy, else 1."""
    rate_decay: float = 1.0
    """Factor by which each layer learns more slowly than the one after it."""
    unfreeze_until: float = 0.0
    """Thaw the encoder layer by layer until this share of the training; 0: all at once."""
    anchor_weight: float = 0.0
    """Weight of the squared distance to the weights that the encoder came with (L2-SP)."""
    head_penalty: float = 0.0
    """Weight of the classifier's squared kernels (L2-SP)."""
    batch_norm: Literal["frozen", "moving"] | None = None
    """What batch normalisation in layers that learn does: keep what it came with, or learn.
    Default: frozen, but moving from a random start, whose statistics are those of nothing."""
    hidden: tuple[int, ...] = ()
    """Sizes of hidden layers between the encoder and the logits."""
    learning_rate: float | None = None
    """Initial learning rate; it falls along a cosine to 0. Default: 0.01, for architectures at
    random 0.02."""
    shots: int = 0
    """Labelled images of each class to learn from, drawn by the seed; 0: all."""
    image_size: int | None = None
    """Side in pixels to which images are resized. Default: that of the data."""
    channels: Literal[1, 3] = 3
    """Channels of the images: grey or RGB."""
    flip: bool = False
    """Mirror half of the images, left to right."""
    min_steps: int = 100
    """Least number of steps in an epoch: few images are passed over several times."""

    def load_data(self):
        from keras_dtl.data import load, require_classes
        from keras_dtl.data.splits import shot_split

        places = {"data_dir": self.data_dir, "manual_dir": self.manual_dir}
        places |= {"image_size": self.image_size, "channels": self.channels}
        train = load(self.target, "train", **places)
        require_classes(train)
        places["image_size"] = train.image_shape[:2]
        if self.shots:
            chosen, _ = shot_split(train.labels, self.shots, self.seed, train.classes)
            train = train.subset(chosen)
        test = load(self.target, "test", **places)
        if test.labels is None:
            raise ValueError(
                f"{self.target}: the images for testing lie without class folders, so that nothing "
                "can be scored. Sort them into test/CLASS/, or move what is in train/ up beside "
                "each other to have 20 % of each class for testing."
            )
        return Labelled(train, test)

    def build_model(self, data):
        import keras

        from keras_dtl.backbones import mlp
        from keras_dtl.methods import FineTuning

        encoder = encoder_from(self.start, self.encoder_name(data), data.train.image_shape)
        if self.normalization == "moving":
            hasten_statistics(encoder)
        features, classes = encoder.output_shape[1:], len(data.train.classes)
        model = FineTuning(
            encoder,
            mlp(features, self.hidden, classes, name="classifier"),
            train_from=int(self.train_from) if self.train_from.isdecimal() else self.train_from,
            rate_decay=self.rate_decay,
            anchor_weight=self.anchor_weight,
            head_penalty=self.head_penalty,
            batch_norm=self.normalization,
        )
        rate, factor, clip, _ = self.training
        multipliers = {"encoder": factor} if factor != 1 else None
        model.compile(
            keras.optimizers.SGD(rate, momentum=0.9, global_clipnorm=clip),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=self.jit_compile,
            learning_rate_multipliers=multipliers,
        )
        return model

    @property
    def training(self) -> Training:
        """The `Training` that the flags leave open or set."""
        careful = self.start != "random" and self.preset == "robust"
        return training_of(self, self.backbone, careful)

    @property
    def normalization(self) -> str:
        """What batch normalisation does, answered where the flag leaves it open."""
        fresh = self.start == "random" and self.preset == "robust"
        return self.batch_norm or ("moving" if fresh else "frozen")

    def encoder_name(self, data) -> str:
        """Return the encoder's name, which the size of the images decides where none is given."""
        return backbone_of(self.backbone, data.train.image_shape, self.preset)

    def batches(self, data, first_step: int):
        from keras_dtl.data import endless_batches, jitter

        augment = jitter(data.train.image_shape[:2]) if self.flip else None
        return endless_batches(data.train, self.batch_size, self.seed, first_step, augment)

    def steps_per_epoch(self, data) -> int:
        from keras_dtl.data import steps_per_epoch

        return max(self.min_steps, steps_per_epoch(data.train, self.batch_size))

    def callbacks(self, data) -> list:
        from keras_dtl.callbacks import GradualUnfreezing, ProgressSchedule, cosine_decay

        rate = self.training.schedule(cosine_decay)
        schedule = ProgressSchedule({"optimizer.learning_rate": rate})
        if not self.unfreeze_until:
            return [schedule]
        return [schedule, GradualUnfreezing(self.unfreeze_until)]

    def failure_watch(self, data):
        from keras_dtl.callbacks import FailureWatch
        from keras_dtl.recipes.verdict import PROBED_HELD_OUT, probe

        others = probe(data.test, self.seed, PROBED_HELD_OUT)
        return FailureWatch(probe(data.train, self.seed), others, classes=data.train.classes)

    def verdict(self, scores: dict):
        from keras_dtl.recipes.verdict import guessing_failure

        return guessing_failure(scores["target"])

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation import evaluate_classifier

        probabilities = predict(model.deployable(), data.test.images)
        scores = evaluate_classifier(probabilities, data.test.labels, data.test.classes)
        return {"target": scores.to_dict()}

    def headline(self, scores: dict) -> dict:
        return {"accuracy": scores["target"]["accuracy"]}

    def report(self, model, data, history: dict, scores: dict):
        from keras_dtl.evaluation import Report
        from keras_dtl.recipes.domain_report import (
            add_confusion,
            add_labelled_images,
            add_training,
        )

        report = Report(
            f"{self.name}: {self.start} to {self.target}",
            f"{self.length}, seed {self.seed}, {len(data.train)} labelled images.",
            self.printed_headline(scores),
        )
        add_training(report, history)
        add_labelled_images(report, "Training images.", data.train)
        add_confusion(report, scores)
        report.add_table("Layers", layer_table(model))
        report.add_table("Settings", self.settings(), collapsed=True)
        return report

    def export_arguments(self, data) -> dict:
        return {"classes": data.train.classes}

    def export_examples(self, data):
        return data.test.images


def layer_table(model) -> list[dict]:
    """Return a row for each layer of the encoder: what it is, and whether it learnt.

    Args:
        model: The `FineTuning`.
    """
    from keras_dtl.methods.networks import learnt_layers

    groups = learnt_layers(model.encoder)
    frozen = len(groups) - model.num_tuned
    return [
        {
            "layer": index + 1,
            "name": group[0].name,
            "weights": sum(int(w.shape.num_elements()) for layer in group for w in layer.weights),
            "learnt": index >= frozen,
        }
        for index, group in enumerate(groups)
    ]
