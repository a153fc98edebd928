import logging

import keras
import tensorflow as tf

from keras_dtl.methods.classifier import ClassifierMethod
from keras_dtl.methods.inputs import check_pixels, first_batch
from keras_dtl.methods.networks import (
    batch_norm_layers,
    layers_from,
    learnt_layers,
    require_logits,
    require_one_way,
)

logger = logging.getLogger("keras_dtl")

BATCH_NORM_POLICIES = ("frozen", "moving")


@keras.saving.register_keras_serializable("keras_dtl")
class FineTuning(ClassifierMethod):
    """A classifier on an encoder that comes with weights, of which as much moves as is wanted.

        min  L_label + anchor_weight / 2 * || w - w_start ||^2 + head_penalty / 2 * || w_head ||^2

    over the classifier and the encoder's layers from `train_from` on. Layers below stay as they
    are, bit for bit, moving statistics too. What helps depends on how many labels there are and
    how near the encoder's first task was: compare with a random start before believing in it.

    Layers are counted as in `learnt_layers`: a convolution and its normalisation are one. Which of
    the encoder learn is a matter of `train_from` alone, since another model may share the encoder
    and have frozen it: `compile` undoes what was set by hand (`trainable`), and says so. What is
    set after `compile` holds.

    Deeper layers may learn more slowly, by `rate_decay` or, for the encoder as a whole, by
    `compile(..., learning_rate_multipliers={"encoder": 0.1})`. To thaw the encoder by and by, let
    `keras_dtl.callbacks.GradualUnfreezing` call `unfreeze`.

    Logs: `label_loss` and, where `anchor_weight` or `head_penalty` is not 0, `penalty`.

    References: Yosinski et al., "How transferable are features in deep neural networks?", NIPS
    2014 (layers copied, frozen or tuned); Li, Grandvalet & Davoine, "Explicit Inductive Bias for
    Transfer Learning with Convolutional Networks", ICML 2018 (the penalty L2-SP); Howard & Ruder,
    "Universal Language Model Fine-tuning for Text Classification", ACL 2018 (rates by layer,
    gradual unfreezing).

    Differs from the papers: L2-SP counts every weight that moves, those of normalisations too.

    Args:
        encoder: Network from uint8 images `(batch, height, width, channels)` to features; its
            weights are where training starts.
        classifier: Network from features to logits `(batch, classes)`.
        train_from: Where learning begins: `"input"`, the whole network; `"head"`, the classifier
            alone; a number k, the last k layers of the encoder; or the name of a layer, or the
            beginning of one.
        rate_decay: Factor in (0, 1] by which each layer learns more slowly than the one after
            it; the classifier learns at the full rate.
        anchor_weight: Weight of 0 or more of the squared distance to the encoder's first
            weights, which the model then keeps a copy of.
        head_penalty: Weight of 0 or more of the classifier's squared kernels.
        batch_norm: `"frozen"`: batch normalisation in the encoder keeps the statistics, factors
            and offsets that it came with, which few images would spoil. `"moving"`: where its
            layer learns it learns too, and normalises by the batch.

    Raises:
        ValueError: When an argument is out of range.

    Example:

    ```python
    import keras_dtl

    # weights=None for a quick look; "imagenet", the default, is what one fine-tunes
    encoder = keras_dtl.backbones.pretrained("MobileNetV2", (128, 128, 3), weights=None)
    classifier = keras_dtl.backbones.mlp(encoder.output_shape[1:], (), 7)
    model = keras_dtl.FineTuning(encoder, classifier, train_from="block_13")
    ```
    """

    task = "classification"
    tracked = ("label_loss",)
    learning = ("classifier",)

    def __init__(
        self,
        encoder,
        classifier,
        train_from="input",
        rate_decay=1.0,
        anchor_weight=0.0,
        head_penalty=0.0,
        batch_norm="frozen",
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_logits(classifier, "classifier")
        require_one_way(encoder, classifier)
        _check(rate_decay, batch_norm)
        self.encoder = encoder
        self.classifier = classifier
        self.train_from = train_from
        self.rate_decay = rate_decay
        self.anchor_weight = anchor_weight
        self.head_penalty = head_penalty
        self.batch_norm = batch_norm
        self.num_tuned = layers_from(learnt_layers(encoder), train_from)
        self.unfreeze()
        tuned = encoder.trainable_variables if anchor_weight else []
        self._tuned_variables = lambda: tuned  # out of Keras' sight, which would save them twice
        self.anchors = self._copies(tuned)
        if anchor_weight or head_penalty:
            self.trackers["penalty"] = keras.metrics.Mean("penalty")

    # What moves ---------------------------------------------------------------------------

    def unfreeze(self, count=None):
        """Let the last `count` layers of the encoder learn, and no others.

        Args:
            count: 0 or more; layers below `train_from` stay frozen whatever it is. By default
                all that may learn.
        """
        groups = learnt_layers(self.encoder)
        frozen = len(groups) - min(self.num_tuned, self.num_tuned if count is None else count)
        self.encoder.trainable = True
        for index, group in enumerate(groups):
            for layer in group:
                layer.trainable = index >= frozen
        if self.batch_norm == "frozen":
            for layer in batch_norm_layers(self.encoder):
                layer.trainable = False
        thawed = [layer for group in groups[frozen:] for layer in group if layer.trainable]
        self._thawed = lambda: thawed  # out of Keras' sight, which would save them twice
        if getattr(self, "train_function", None) is not None:
            self.make_train_function(force=True)  # it was traced for other variables

    def _tell_thawed(self):
        frozen = [layer.name for layer in self._thawed() if not layer.trainable]
        if frozen:
            logger.warning(
                "FineTuning makes layers learn again that were frozen since it was made: %s. "
                "`train_from` says which learn; to freeze others, do so after `compile`.",
                ", ".join(frozen),
            )

    def compile(self, optimizer="rmsprop", loss=None, *args, **kwargs):
        """See `ClassifierMethod.compile`. All layers from `train_from` on are made to learn."""
        if self.trainable:
            self._tell_thawed()
            self.unfreeze()
        super().compile(optimizer, loss, *args, **kwargs)
        super().build_optimizers()  # a layer that is thawed later must be known already

    def build_optimizers(self):
        """Do nothing: `compile` did, while all layers were learning that ever will."""

    def rate_factors(self):
        factors = super().rate_factors()
        groups = learnt_layers(self.encoder) if self.rate_decay < 1 else []
        for distance, group in enumerate(reversed(groups), 1):
            for variable in (v for layer in group for v in layer.trainable_variables):
                factors[id(variable)] = factors.get(id(variable), 1.0) * self.rate_decay**distance
        return factors

    # Training -----------------------------------------------------------------------------

    def fit(self, x=None, *args, **kwargs):
        """See `keras.Model.fit`.

        Raises:
            ValueError: When images were scaled before, which the encoder does by itself.
        """
        batch = first_batch(x)
        images = batch[0] if isinstance(batch, tuple) else x
        if hasattr(images, "dtype"):
            check_pixels(images, self.encoder)
        return super().fit(x, *args, **kwargs)

    def call(self, images, training=False):
        features = self.encoder(images, training=training)
        return tf.cast(self.classifier(features, training=training), "float32")

    def train_step(self, batch):
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        with tf.GradientTape() as tape:
            logits = self(images, training=True)
            label_loss = self.compiled_loss(labels, logits, sample_weight)
            terms = self.penalty_terms()
            loss = tf.add_n([label_loss, *terms.values(), self.regularization()])
        self.minimize(loss, tape)
        self.compute_metrics(images, labels, logits, sample_weight)
        return self.report(tf.shape(logits)[0], loss=loss, label_loss=label_loss, **terms)

    def penalty_terms(self):
        """Return `{"penalty": scalar}`, or nothing where both weights are 0."""
        terms = []
        if self.anchor_weight:
            # A layer that is frozen for now lies on its anchor.
            pairs = zip(self._tuned_variables(), self.anchors, strict=True)
            drift = [tf.nn.l2_loss(variable - anchor) for variable, anchor in pairs]
            terms.append(self.anchor_weight * tf.add_n([tf.constant(0.0), *drift]))
        if self.head_penalty:
            kernels = [v for v in self.classifier.trainable_variables if len(v.shape) > 1]
            terms.append(self.head_penalty * tf.add_n([tf.nn.l2_loss(v) for v in kernels]))
        return {"penalty": tf.add_n(terms)} if terms else {}

    def _copies(self, variables):
        copies = []
        for index, variable in enumerate(variables):
            name, dtype = f"anchor_{index}", variable.dtype
            copy = self.add_weight(variable.shape, "zeros", dtype, trainable=False, name=name)
            copy.assign(variable)
            copies.append(copy)
        return copies


def _check(rate_decay, batch_norm):
    if not 0 < rate_decay <= 1:
        raise ValueError(f"`rate_decay` must lie in (0, 1]. Received: {rate_decay}")
    if batch_norm not in BATCH_NORM_POLICIES:
        raise ValueError(
            f"`batch_norm` must be one of {BATCH_NORM_POLICIES}. Received: {batch_norm!r}"
        )
