"""Segmentation under domain shift: another city, another light (Tsai et al. 2018).

keras-dtl train segmentation --source folder:camvid --target folder:camvid \
    --source-sequences 0006R0 0016E5 --target-sequences 0001TP
keras-dtl train segmentation --source folder:a --target folder:b --method source-only

keras-dtl train segmentation --source cityscapes --source-sequences aachen bochum \
    --target cityscapes --target-sequences zurich --image-size 256 512 --manual-dir downloads

A folder holds images/ and masks/, see `keras_dtl.data.segmentation.load_segmentation`.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from keras_dtl.pipeline import pipeline_options
from keras_dtl.recipes.base import Recipe
from keras_dtl.recipes.encoders import hasten_statistics
from keras_dtl.recipes.scenes import Scenes, refuse_learnt

HOLDOUT = 0.5
"""Share of a target without a split of its own that is scored on."""
Adaptations = Literal["source-only", "dann", "output-space", "advent", "dan", "deep-coral", "dacs"]
DISCRIMINATED = {
    "dann": "features",
    "output-space": "probabilities",
    "advent": "self_information",
}
"""What the adversary of a method sees."""


@dataclass(frozen=True)
class SegmentationRecipe(Recipe):
    """A segmenter that adapts to another domain (Tsai et al. 2018, and others pixel by pixel)."""

    name: ClassVar[str] = "segmentation"
    data_kind: ClassVar[str] = "segmentation"
    suits: ClassVar[str] = "for classes of pixels, with or without labels in the target"

    batch_size: int = 4
    """Images of each domain in a step."""
    source: str = "folder:source"
    """Images and masks to learn: folder:PATH, or cityscapes, of TFDS."""
    target: str = "folder:target"
    """Domain to adapt to: the same names. Its masks serve for scoring alone."""
    source_sequences: tuple[str, ...] | None = None
    """Sequences of the source's frames.csv, or cities of Cityscapes. Default: all."""
    target_sequences: tuple[str, ...] | None = None
    """Sequences of the target's frames.csv. Default: all."""
    method: Adaptations = "advent"
    """How it adapts: source-only, not at all; dann, on features of each position; output-space,
    on the layout of the predicted classes; advent, on that of their uncertainty; dan or
    deep-coral, by a distance of pooled features; dacs, by pseudo-labels of target images into
    which parts of the source are pasted."""
    fourier: float | None = None
    """Source images take light and colours of target images: frequencies of up to this share of
    the shorter side, 0 to 0.5, published 0.01 to 0.09. Default: they stay as they are."""
    labels_from: Literal["source", "target"] = "source"
    """Whose masks are learnt: target gives the upper bound, with --method source-only."""
    holdout: float | None = None
    """Share of the target, the last images by name, that is scored on and never trained with.
    Default: its split test, or half where it has none."""
    image_size: tuple[int, int] | None = None
    """Height and width to which images are resized, in training as in conversion. Default: their
    own."""
    backbone: Literal["unet", "mobilenet"] = "mobilenet"
    """Encoder: a U-Net, or MobileNetV2 with an ASPP head."""
    weights: str | None = None
    """Weights of MobileNetV2: imagenet, or a file. Default: random ones."""
    filters: int = 16
    """Channels of the U-Net's first map."""
    adaptation_weight: float | None = None
    """Weight of the adaptation loss. Default: 0.01, and 1 for dacs, as published."""
    learning_rate: float = 1e-3
    """Initial rate of Adam; it falls along a cosine to 0."""
    batch_norm: Literal["joint", "separate", "frozen"] = "joint"
    """What batch normalisation sees."""
    flip: bool = True
    """Mirror half of the images, left to right."""
    min_steps: int = 100
    """Least number of steps in an epoch."""

    def load_data(self):
        source = self._load(self.source, self.source_sequences)
        target = self._load(self.target, self.target_sequences)
        if self.has_test():
            first, last = target, self._load(self.target, self.target_sequences, "test")
        else:
            first, last = self._divide(target)
        for images in (first, last):
            if source.classes != images.classes:
                raise ValueError(
                    "Source and target must have the same classes. Received: "
                    f"{', '.join(source.classes)} against {', '.join(images.classes)}. Give both "
                    "folders the same classes.csv."
                )
        if source.image_shape != first.image_shape:
            sizes = ["x".join(map(str, one.image_shape[:2])) for one in (source, first)]
            raise ValueError(
                f"Images of the source have {sizes[0]} pixels and those of the target {sizes[1]}. "
                "Pass a size (--image-size HEIGHT WIDTH) to resize them all."
            )
        learnt = first if self.labels_from == "target" else source
        refuse_learnt(learnt, last)
        return Scenes(learnt, first, last)

    @property
    def client_size(self):
        return self.image_size

    def has_test(self) -> bool:
        """Return whether the target's own split test is scored on."""
        from keras_dtl.data.mask_folders import has_test
        from keras_dtl.data.names import divide_name

        prefix, path = divide_name(self.target)
        return self.holdout is None and prefix == "folder" and has_test(path, self.target_sequences)

    def _divide(self, target):
        """Return the images of the target to adapt to, and those to score on."""
        share = HOLDOUT if self.holdout is None else self.holdout
        cut = round(len(target) * (1 - share))
        if not 0 < cut < len(target):
            raise ValueError(
                f"--holdout {share} of {len(target)} target images leaves none to train with or "
                "none to score on."
            )
        return target.subset(range(cut)), target.subset(range(cut, len(target)))

    def data_lines(self) -> list[str]:
        from keras_dtl.data.names import divide_name
        from keras_dtl.files import readable_name

        names = dict.fromkeys((self.source, self.target))
        share = HOLDOUT if self.holdout is None else self.holdout
        last = f"the last images by name, a share of {share:g} (--holdout), are"
        scored = "its split test is" if self.has_test() else last
        name = readable_name(divide_name(self.target)[1] or self.target)
        lines = [line for each in names for line in self._lines_of(each, holds_out=True)]
        return [*lines, f"{name}, the target: {scored} for scoring alone"]

    def _load(self, name, sequences, split="train"):
        from keras_dtl.data.names import divide_name
        from keras_dtl.data.segmentation import load_segmentation

        if name == "cityscapes":
            from keras_dtl.data.cityscapes import load_cityscapes

            return load_cityscapes(
                split, self.image_size, sequences, self.data_dir, self.manual_dir
            )
        prefix, path = divide_name(name)
        if prefix != "folder":
            raise ValueError(
                f"Expected folder:PATH, of images and masks, or cityscapes. Received: {name!r}"
            )
        return load_segmentation(path, split, self.image_size, sequences)

    def build_model(self, data):
        import keras

        from keras_dtl.data.segmentation import VOID

        classes = len(data.source_train.classes)
        model = self.adaptation(*self.networks(classes), classes)
        model.compile(
            keras.optimizers.Adam(self.learning_rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=VOID),
            jit_compile=self.jit_compile,
        )
        return model

    def networks(self, classes):
        from keras_dtl import backbones

        if self.backbone == "unet" and self.weights is not None:
            raise ValueError(
                f"--weights {self.weights} belongs to MobileNetV2, but the backbone is unet, which "
                "would start at random. Add --backbone mobilenet, or leave --weights out."
            )
        if self.backbone == "unet":
            encoder = backbones.unet_encoder(filters=self.filters, name="encoder")
        else:
            encoder = backbones.mobilenet_aspp(weights=self.weights, name="encoder")
            if self.batch_norm != "frozen":
                hasten_statistics(encoder)
        return encoder, backbones.pixel_classifier(encoder.output_shape[1:], classes)

    def adaptation(self, encoder, classifier, classes):
        """Return the model of the chosen method."""
        from keras_dtl.backbones import pixel_discriminator
        from keras_dtl.methods import DACS, DAN, DANN, DeepCORAL, SourceOnly

        weight = 1.0 if self.method == "dacs" else 0.01
        if self.adaptation_weight is not None:
            weight = self.adaptation_weight
        weight = {"adaptation_weight": weight, "batch_norm": self.batch_norm}
        if self.method == "source-only":
            return SourceOnly(encoder, classifier, batch_norm=self.batch_norm)
        if self.method == "dacs":
            return DACS(encoder, classifier, **weight)
        if self.method in ("dan", "deep-coral"):
            distance = DAN if self.method == "dan" else DeepCORAL
            return distance(encoder, classifier, compared=("features",), **weight)
        seen = DISCRIMINATED[self.method]
        shape = encoder.output_shape[1:] if seen == "features" else (None, None, classes)
        discriminator = pixel_discriminator(shape)
        return DANN(
            encoder, classifier, discriminator, discriminated=seen, reversal_strength=0.0, **weight
        )

    def batches(self, data, first_step: int):
        import tensorflow as tf

        from keras_dtl.data import endless_arrays, jitter
        from keras_dtl.data.batches import independent_seeds

        augment = jitter(data.source_train.image_shape[:2]) if self.flip else None
        arrays = {"source": data.source_train.arrays(), "target": data.target_train.images}
        seeds = independent_seeds(self.seed, 2)
        streams = {
            name: endless_arrays(array, self.batch_size, seed, first_step, augment)
            for (name, array), seed in zip(arrays.items(), seeds, strict=True)
        }
        batches = tf.data.Dataset.zip(streams)
        if self.fourier is not None:
            batches = batches.map(self._in_target_light)
        return batches.with_options(pipeline_options())

    def _in_target_light(self, batch):
        from keras_dtl.data import fourier_adaptation

        images, *labels = batch["source"]
        images = fourier_adaptation(images, batch["target"], self.fourier)
        return {**batch, "source": (images, *labels)}

    def steps_per_epoch(self, data) -> int:
        from keras_dtl.data import steps_per_epoch

        return max(self.min_steps, steps_per_epoch(data.source_train, self.batch_size))

    def callbacks(self, data) -> list:
        from keras_dtl.callbacks import ProgressSchedule, cosine_decay, reversal_ramp

        schedules = {"optimizer.learning_rate": cosine_decay(self.learning_rate)}
        if self.method in DISCRIMINATED:
            schedules["reversal_strength"] = reversal_ramp()
        return [ProgressSchedule(schedules)]

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation import evaluate_segmenter
        from keras_dtl.recipes.segmentation_report import answers, guessing

        test = data.target_test
        found = evaluate_segmenter(answers(model, test), test.labels, test.classes)
        return {"target": found.to_dict(), "guessing": {"mean_iou": guessing(data)[1].mean_iou}}

    def headline(self, scores: dict) -> dict:
        names = {"target": "mean IoU on target", "guessing": "mean IoU of guessing"}
        return {words: scores[k]["mean_iou"] for k, words in names.items() if k in scores}

    def verdict(self, scores: dict):
        from keras_dtl.callbacks import Failure

        found, guess = (scores.get(k, {}).get("mean_iou", 0) for k in ("target", "guessing"))
        if found > guess or "guessing" not in scores:
            return None
        return Failure(
            "no better than guessing",
            f"the mean IoU on the target is {found:.1%}; with the commonest class of the learnt "
            f"masks for every pixel it is {guess:.1%}.",
        )

    def report(self, model, data, history: dict, scores: dict):
        from keras_dtl.recipes.segmentation_report import segmentation_report

        return segmentation_report(self, model, data, history, scores)

    def export_arguments(self, data) -> dict:
        # Learnt at another size than their own, things have another size than in photos.
        resized = {} if self.image_size is None else {"image_size": self.image_size}
        return {"classes": data.source_train.classes, **resized}

    def export_examples(self, data) -> np.ndarray:
        return data.target_test.images[:4]

    def settings_with(self, data) -> dict:
        return {**super().settings_with(data), "colors": data.source_train.colors.tolist()}
