"""The step that all methods of domain adaptation share."""

import contextlib

import keras
import tensorflow as tf

from keras_dtl.layers import ResizeLike
from keras_dtl.methods.adaptation import examples as batches
from keras_dtl.methods.adaptation.balance import Balance, check_weight
from keras_dtl.methods.adaptation.domain_outputs import DomainOutputs
from keras_dtl.methods.adaptation.label_shift import ClassShares, redraw
from keras_dtl.methods.batch_norm import freeze_or_tell
from keras_dtl.methods.classifier import ClassifierMethod, is_dense
from keras_dtl.methods.given_data import refuse_domains
from keras_dtl.methods.inputs import (
    check_pixels,
    first_batch,
    logits_loss,
    require_classes,
    require_domains,
    with_label_weights,
)
from keras_dtl.methods.networks import batch_norm_layers, require_logits, require_one_way

BATCH_NORM_POLICIES = ("joint", "separate", "frozen")


class DomainAdaptation(ClassifierMethod):
    """A classifier that learns from labelled source images and adapts to another domain.

    Minimises `label loss + adaptation_weight * adaptation loss`; a method is the adaptation
    loss that it defines in `adaptation_terms`. Batches are dictionaries:

    - `"source"`: `(images, labels)` or `(images, labels, sample_weight)`;
    - `"target"`: images, without labels;
    - `"target_labelled"`: as `"source"`, where some target labels are known. They join the
      source in the label loss and the target in the adaptation loss;
    - `"target_weight"`: weight of each `"target"` image, for methods that weigh examples;
    - `"label_weight"`: weight of each known label in the label loss alone, which
      `fit(class_weight=...)` adds.

    A classifier that gives maps of logits makes it a segmenter: labels are then maps of the
    images' size, and logits are brought to it. Pass `compile` a loss that ignores the class of
    void pixels. Weights of images count for all their pixels; those of pixels, `(batch, height,
    width)`, in the label loss alone.

    Args:
        encoder: Network from uint8 images `(batch, height, width, channels)` to features.
        classifier: Network from features to logits `(batch, classes)`, or of a segmenter
            `(batch, height, width, classes)`.
        adaptation_weight: Number of 0 or more, the weight of the adaptation loss; or `"auto"`,
            which keeps it as large as the label loss by a weight of at most 1 (see `Balance`), so
            that a first training needs no tuning. Not for adversarial methods, whose loss does
            not shrink.
        batch_norm: What batch normalisation in `encoder` and `classifier` sees in training.
            `"joint"`: both domains in one pass, normalised together. `"separate"`: a pass for
            each domain, normalised by itself; the moving statistics, which the deployed model
            uses, are the target's. `"frozen"`: the layers keep the statistics they came with
            and do not train, as suits a pretrained encoder. Without such layers all agree.
        label_shift: Whether the target may hold the classes in other shares than the source. The
            target's shares are then estimated as training goes on, and the source's images are
            drawn again within each batch, in these shares, for the adaptation loss alone: what
            is aligned differs in its looks and not in how often it is seen. The estimate is as good
            as the answers are: where source-only is right on less than half of the target, leave
            it out. See `ClassShares`.

    Attributes:
        adaptation_strength: Of methods that say so (`scheduled`), a weight from 0 to 1, at first
            1, which multiplies the adaptation loss; for `ProgressSchedule` to raise.
    """

    task = "classification"
    tracked = ("label_loss",)
    adversarial = False
    scheduled = False
    compares_domains = True
    needs = ("target",)

    def __init__(
        self,
        encoder,
        classifier,
        adaptation_weight=1.0,
        batch_norm="joint",
        label_shift=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if batch_norm not in BATCH_NORM_POLICIES:
            raise ValueError(
                f"`batch_norm` must be one of {BATCH_NORM_POLICIES}. Received: {batch_norm!r}"
            )
        check_weight(adaptation_weight, type(self))
        require_logits(classifier, "classifier")
        require_one_way(encoder, classifier)
        self.encoder = encoder
        self.classifier = classifier
        self.adaptation_weight = adaptation_weight
        self.batch_norm = batch_norm
        self.dense = is_dense(classifier)
        self.task = "segmentation" if self.dense else "classification"
        self.balance = None
        if adaptation_weight == "auto":
            self.balance = Balance()
            self.trackers["adaptation_weight"] = keras.metrics.Mean("adaptation_weight")
        self.label_shift = label_shift
        self.shares = self._class_shares() if label_shift else None
        if self.scheduled:
            self.adaptation_strength = self.add_weight(
                name="adaptation_strength", shape=(), initializer="ones", trainable=False
            )
        self._batch_norm_layers = batch_norm_layers(encoder, classifier)
        freeze_or_tell(self._batch_norm_layers, batch_norm)

    def _class_shares(self):
        if self.dense or not self.compares_domains:
            raise ValueError(
                f"{type(self).__name__} takes no `label_shift`: it compares no domains of whole "
                "images, whose shares of classes could differ. Leave it out."
            )
        return ClassShares(self.classifier.output_shape[-1])

    @classmethod
    def _argument_names(cls):
        return list(dict.fromkeys((*super()._argument_names(), "label_shift")))

    @property
    def reads_classes(self):
        """Whether the adaptation takes the answers for those of one class of several."""
        return self.label_shift

    @property
    def calls_once(self):
        return self.batch_norm != "separate"

    def call(self, images, training=False):
        refuse_domains(images)
        return self.outputs(images, training)[1]

    def compile(self, optimizer="rmsprop", loss=None, *args, **kwargs):
        """See `ClassifierMethod.compile`."""
        loss = logits_loss(loss)
        if self.reads_classes:
            require_classes(type(self), self.classifier.output_shape, loss)
        super().compile(optimizer, loss, *args, **kwargs)

    def fit(self, x=None, y=None, *args, class_weight=None, **kwargs):
        """See `keras.Model.fit`, for batches of domains.

        Args:
            x: `tf.data.Dataset` of dictionaries, see `DomainAdaptation` and
                `keras_dtl.data.domain_batches`; or a generator or `keras.utils.PyDataset`, which
                Keras wants to give tuples: `(dictionary,)`.
            y: None: labels are in the batches.
            *args, **kwargs: Of `keras.Model.fit`.
            class_weight: `{class index: weight}` in the label loss; the adaptation loss weighs
                images alike.

        Raises:
            ValueError: When `x` holds no such batches, or images that were scaled before.
        """
        require_domains(self, x, y)
        batch = first_batch(x)
        if isinstance(batch, dict):
            check_pixels(batch["source"][0], self.encoder)
            check_pixels(batch.get("target", batch["source"][0]), self.encoder)
        data = x if class_weight is None else with_label_weights(x, class_weight, self.loss)
        return super().fit(data, y, *args, **kwargs)

    def test_step(self, data):
        """Score `(images, labels)`, or the source of batches of domains, whose target has none."""
        return super().test_step(batches.labelled(data))

    def train_step(self, batch):
        batch = self.check_batch(batch)
        examples = batches.unpack(batch)
        with tf.GradientTape() as tape:
            outputs = self.domain_outputs(examples.source_images, examples.target_images)
            outputs = outputs._replace(labels=examples.labels, weights=examples.weights)
            logits = outputs.logits[: tf.shape(examples.labels)[0]]
            label_loss = self.compiled_loss(examples.labels, logits, examples.sample_weight)
            terms = self.adaptation_terms(self.in_target_shares(outputs))
            loss = label_loss + self.weigh(terms, label_loss) + self.regularization()
        self.minimize(loss, tape)
        self.compute_metrics(None, examples.labels, logits, examples.sample_weight)
        return self.report(examples.known, loss=loss, label_loss=label_loss, **terms)

    def in_target_shares(self, outputs):
        """Return the outputs, under `label_shift` with the source's in the target's shares."""
        if self.shares is None:
            return outputs
        count, total = outputs.count, tf.shape(outputs.logits)[0]
        weights = self.shares(
            batches.class_numbers(outputs.labels[:count]), outputs.unlabelled_target[1]
        )
        order = tf.concat([redraw(weights), tf.range(count, total)], 0)
        changed = {
            name: tf.nest.map_structure(lambda x: tf.gather(x, order), getattr(outputs, name))
            for name in ("features", "logits", "weights", "activations")
            if getattr(outputs, name) is not None
        }
        known = order[: tf.shape(outputs.labels)[0]]
        return outputs._replace(labels=tf.gather(outputs.labels, known), **changed)

    def labelled_part(self, batch):
        return batches.labelled(batch)

    def weigh(self, terms, label_loss):
        """Return the sum of the terms of adaptation times their weight.

        Args:
            terms: Scalars by name, see `adaptation_terms`.
            label_loss: Scalar, which an automatic weight follows.
        """
        adaptation_loss = sum(tf.cast(term, "float32") for term in terms.values())
        if self.scheduled:
            adaptation_loss *= tf.cast(self.adaptation_strength, "float32")
        if self.balance is None:
            return self.adaptation_weight * adaptation_loss
        weight = self.balance(label_loss, adaptation_loss)
        self.trackers["adaptation_weight"].update_state(weight)
        return weight * adaptation_loss

    def check_batch(self, batch):
        """Return the dictionary of a batch, or say what is missing in it.

        Args:
            batch: Dictionary, see `DomainAdaptation`, or a tuple of it.

        Raises:
            ValueError: When a key is missing that the method needs.
        """
        return batches.check_batch(type(self), batch, ("source", *self.needs))

    def adaptation_terms(self, outputs):
        """Return the terms of the adaptation loss: the hook that a method overrides.

        Args:
            outputs: `DomainOutputs` of this batch.

        Returns:
            Dictionary from names in `tracked` to scalars, whose sum is minimised.
        """
        raise NotImplementedError

    def outputs(self, images, training):
        """Return features, float32 logits and further activations of images in one pass.

        Args:
            images: uint8 `(batch, height, width, channels)`.
            training: Whether the networks learn.
        """
        features = self.encoder(images, training=training)
        logits = self.classifier(features, training=training)
        return features, self.resize_logits(logits, images), {}

    def resize_logits(self, logits, images):
        """Return logits in float32, those of a segmenter in the size of its images.

        Args:
            logits: Tensor `(batch, classes)`, or of a segmenter `(batch, height, width, classes)`.
            images: Tensor `(batch, height, width, channels)`.
        """
        return ResizeLike()(logits, images) if self.dense else tf.cast(logits, "float32")

    def domain_outputs(self, source_images, target_images):
        """Return the `DomainOutputs` of both domains, by the policy of batch normalisation.

        Args:
            source_images: uint8 `(source, height, width, channels)`.
            target_images: The target's, the labelled ones first, or None.
        """
        count = tf.shape(source_images)[0]
        if target_images is None:
            return self._as_domains(self.outputs(source_images, training=True), count)
        if self.batch_norm != "separate":
            images = batches.joined(source_images, target_images)
            return self._as_domains(self.outputs(images, training=True), count)
        with self.kept_statistics():  # only the target's pass shall move them
            source = self.outputs(source_images, training=True)
        target = self.outputs(target_images, training=True)
        both = tf.nest.map_structure(lambda *pair: tf.concat(pair, 0), source, target)
        return self._as_domains(both, count)

    @contextlib.contextmanager
    def kept_statistics(self):
        """Put the moving statistics of batch normalisation back, whatever moves them within."""
        statistics = [v for layer in self._batch_norm_layers for v in layer.non_trainable_variables]
        before = [tf.identity(v) for v in statistics]
        yield
        for variable, value in zip(statistics, before, strict=True):
            variable.assign(value)

    @staticmethod
    def _as_domains(outputs, count):
        features, logits, activations = outputs
        return DomainOutputs(features, logits, count, activations=activations)
