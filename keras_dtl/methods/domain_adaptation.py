"""The step that all methods of domain adaptation share."""

from typing import NamedTuple

import keras
import tensorflow as tf

from keras_dtl.methods.base import Method, require_logits

BATCH_NORM_POLICIES = ("joint", "separate", "frozen")


class DomainOutputs(NamedTuple):
    """What the networks make of a batch: the source's images first, then the target's.

    A loss that treats both alike takes the whole; only who takes one domain pays for the slice.
    """

    features: tf.Tensor
    """Output of the encoder, `(source + target, ...)`."""
    logits: tf.Tensor
    """Output of the classifier in float32, `(source + target, classes)`."""
    count: tf.Tensor | int
    """How many of them are the source's."""

    @property
    def source(self):
        """`(features, logits)` of the source images."""
        return self.features[: self.count], self.logits[: self.count]

    @property
    def target(self):
        """`(features, logits)` of the target images, the labelled ones first."""
        return self.features[self.count :], self.logits[self.count :]


class DomainAdaptation(Method):
    """A classifier that learns from labelled source images and adapts to another domain.

    Minimises `label loss + adaptation_weight * adaptation loss`; a method is the adaptation
    loss that it defines in `adaptation_terms`. Batches are dictionaries:

    - `"source"`: `(images, labels)` or `(images, labels, sample_weight)`;
    - `"target"`: images, without labels;
    - `"target_labelled"`: `(images, labels)`, where some target labels are known. They join
      the source in the label loss and the target in the adaptation loss.

    Args:
        encoder: Network from uint8 images `(batch, height, width, channels)` to features.
        classifier: Network from features to logits `(batch, classes)`.
        adaptation_weight: Number of 0 or more, the weight of the adaptation loss.
        batch_norm: What batch normalisation in `encoder` and `classifier` sees in training.
            `"joint"`: both domains in one pass, normalised together. `"separate"`: a pass for
            each domain, normalised by itself; the moving statistics, which the deployed model
            uses, are the target's. `"frozen"`: the layers keep the statistics they came with
            and do not train, as suits a pretrained encoder. Without such layers all agree.
    """

    task = "classification"
    tracked = ("label_loss",)

    def __init__(self, encoder, classifier, adaptation_weight=1.0, batch_norm="joint", **kwargs):
        super().__init__(**kwargs)
        if batch_norm not in BATCH_NORM_POLICIES:
            raise ValueError(
                f"`batch_norm` must be one of {BATCH_NORM_POLICIES}. Received: {batch_norm!r}"
            )
        if adaptation_weight < 0:
            raise ValueError(
                f"`adaptation_weight` must be 0 or more. Received: {adaptation_weight}"
            )
        require_logits(classifier, "classifier")
        self.encoder = encoder
        self.classifier = classifier
        self.adaptation_weight = adaptation_weight
        self.batch_norm = batch_norm
        self._batch_norm_layers = batch_norm_layers(encoder, classifier)
        if batch_norm == "frozen":
            for layer in self._batch_norm_layers:
                layer.trainable = False

    def call(self, images, training=False):
        return self.outputs(images, training)[1]

    def train_step(self, batch):
        source_images, target_images, labels, sample_weight = _unpack(batch)
        with tf.GradientTape() as tape:
            outputs = self.domain_outputs(source_images, target_images)
            logits = outputs.logits[: tf.shape(labels)[0]]
            label_loss = self.compiled_loss(labels, logits, sample_weight)
            terms = self.adaptation_terms(outputs)
            adaptation_loss = sum(tf.cast(term, "float32") for term in terms.values())
            loss = label_loss + self.adaptation_weight * adaptation_loss
        self.minimize(loss, tape)
        self.compute_metrics(None, labels, logits, sample_weight)
        return self.report(loss=loss, label_loss=label_loss, **terms)

    def adaptation_terms(self, outputs):
        """Return the terms of the adaptation loss: the hook that a method overrides.

        Args:
            outputs: `DomainOutputs` of this batch.

        Returns:
            Dictionary from names in `tracked` to scalars, whose sum is minimised.
        """
        raise NotImplementedError

    def outputs(self, images, training):
        """Return features and float32 logits of images in one pass."""
        features = self.encoder(images, training=training)
        logits = self.classifier(features, training=training)
        return features, tf.cast(logits, "float32")

    def domain_outputs(self, source_images, target_images):
        """Return the `DomainOutputs` of both domains, by the policy of batch normalisation."""
        count = tf.shape(source_images)[0]
        if target_images is None:
            return DomainOutputs(*self.outputs(source_images, training=True), count)
        if self.batch_norm != "separate":
            images = tf.concat([source_images, target_images], 0)
            return DomainOutputs(*self.outputs(images, training=True), count)
        statistics = [v for layer in self._batch_norm_layers for v in layer.non_trainable_variables]
        before = [tf.identity(v) for v in statistics]
        source = self.outputs(source_images, training=True)
        for variable, value in zip(statistics, before, strict=True):
            variable.assign(value)  # only the target's pass shall move them
        target = self.outputs(target_images, training=True)
        both = (tf.concat(pair, 0) for pair in zip(source, target, strict=True))
        return DomainOutputs(*both, count)

    def deployable(self):
        image = keras.Input(self.encoder.input_shape[1:], dtype="uint8", name="image")
        logits = self.classifier(self.encoder(image))
        softmax = keras.layers.Activation("softmax", dtype="float32", name="probabilities")
        return keras.Model(image, softmax(logits), name=self.name)


def _unpack(batch):
    """Return source images, target images or None, labels and sample weights or None.

    Labelled target images come first among the target's and their labels after the source's,
    so that the first `len(labels)` of all outputs are the labelled ones.
    """
    source_images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(batch["source"])
    targets = [batch["target"]] if "target" in batch else []
    if "target_labelled" in batch:
        images, target_labels = batch["target_labelled"]
        targets.insert(0, images)
        labels = tf.concat([labels, tf.cast(target_labels, labels.dtype)], 0)
        if sample_weight is not None:
            ones = tf.ones_like(target_labels, dtype=sample_weight.dtype)
            sample_weight = tf.concat([sample_weight, ones], 0)
    return source_images, tf.concat(targets, 0) if targets else None, labels, sample_weight


def batch_norm_layers(*networks):
    """Return every batch normalisation layer in networks, however nested."""
    return [
        layer
        for network in networks
        for layer in network._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
