import keras
import tensorflow as tf

from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation
from keras_dtl.methods.adaptation.examples import class_numbers, unpack


@keras.saving.register_keras_serializable("keras_dtl")
class AdaMatch(DomainAdaptation):
    """AdaMatch: a target that answers to strong changes of an image as to weak ones.

        min  L_label(weak and strong source images)
             + strength * adaptation_weight * mean of [certain] H(answer to weak, answer to strong)

    An answer to a weakly changed target image is a pseudo-label of the strongly changed one. Its
    shares of classes are first brought to those that are answered on the source, or with
    `label_shift` to those that the target is estimated to have; it counts where its certainty
    reaches `threshold` times the mean certainty on weakly changed source images. Where batch
    normalisation is joint, the source's logits are mixed at random from a pass with the target
    and one without.

    Batches hold `"source_strong"` and `"target_strong"`, the same images changed strongly, beside
    `"source"` and `"target"`; see `keras_dtl.data.domain_batches(strong=...)`. Let
    `ProgressSchedule({"adaptation_strength": half_cosine_rise()})` raise the strength.

    Logs: `label_loss`, `pseudo_label_loss`, and `pseudo_labelled`, the share that is certain.

    Reference: Berthelot et al., "AdaMatch: A Unified Approach to Semi-Supervised Learning and
    Domain Adaptation", ICLR 2022.

    Differs from the paper: labelled target images join the source as they are, without their
    strong changes.

    Args:
        encoder, classifier, adaptation_weight, batch_norm, label_shift: See `DomainAdaptation`.
        threshold: Share of the source's mean certainty, in (0, 1].
    """

    tracked = ("label_loss", "pseudo_label_loss", "pseudo_labelled")
    needs = ("target", "source_strong", "target_strong")
    scheduled = True
    reads_classes = True

    def __init__(
        self,
        encoder,
        classifier,
        adaptation_weight=1.0,
        threshold=0.9,
        batch_norm="joint",
        **kwargs,
    ):
        super().__init__(encoder, classifier, adaptation_weight, batch_norm, **kwargs)
        if not 0 < threshold <= 1 or self.dense:
            raise ValueError(
                "AdaMatch needs a classifier of whole images and a `threshold` in (0, 1]. "
                f"Received: {threshold}, logits of shape {classifier.output_shape}."
            )
        self.threshold = threshold
        # Without normalisation by batches a pass with the target and one without are the same.
        mixes = batch_norm == "joint" and self._batch_norm_layers
        self.mixing = keras.random.SeedGenerator() if mixes else None

    @property
    def calls_once(self):
        return self.mixing is None and super().calls_once

    def train_step(self, batch):
        # 1. All four kinds of images in one pass, the source once more by itself.
        # 2. The label loss on weak and strong source images.
        # 3. Pseudo-labels from weak target images for the strong ones.
        batch = self.check_batch(batch)
        examples = unpack(batch)
        with tf.GradientTape() as tape:
            outputs, strong_source, strong_target = self.all_outputs(batch, examples)
            known = tf.shape(examples.labels)[0]
            logits = outputs.logits[:known]
            label_loss = self._label_loss(examples, logits, strong_source)
            pseudo_labels, certain = self.pseudo_labels(
                outputs.logits[: outputs.count], outputs.logits[known:], examples.labels
            )
            losses = tf.nn.softmax_cross_entropy_with_logits(pseudo_labels, strong_target)
            terms = {"pseudo_label_loss": tf.reduce_mean(certain * losses)}
            loss = label_loss + self.weigh(terms, label_loss) + self.regularization()
        self.minimize(loss, tape)
        self.trackers["pseudo_labelled"].update_state(certain)
        self.compute_metrics(None, examples.labels, logits, examples.sample_weight)
        return self.report(examples.known, loss=loss, label_loss=label_loss, **terms)

    def all_outputs(self, batch, examples):
        """Return the `DomainOutputs` of weak images, and both domains' logits of strong ones."""
        source = tf.concat([examples.source_images, batch["source_strong"]], 0)
        target = tf.concat([examples.target_images, batch["target_strong"]], 0)
        both = self.domain_outputs(source, target)
        features, logits = both.source
        logits = self._mix(source, logits)
        count = tf.shape(examples.source_images)[0]
        theirs = tf.shape(examples.target_images)[0]
        weak = [
            tf.concat([ours[:count], others[:theirs]], 0)
            for ours, others in ((features, both.target[0]), (logits, both.target[1]))
        ]
        outputs = both._replace(features=weak[0], logits=weak[1], count=count)
        return outputs, logits[count:], both.target[1][theirs:]

    def _mix(self, images, logits):
        if self.mixing is None:
            return logits
        with self.kept_statistics():
            _, alone, _ = self.outputs(images, training=True)
        share = keras.random.uniform(tf.shape(logits), dtype="float32", seed=self.mixing)
        return share * logits + (1 - share) * alone

    def _label_loss(self, examples, logits, strong):
        count = tf.shape(strong)[0]
        weight = examples.sample_weight
        strong_weight = None if weight is None else weight[:count]
        weak_loss = self.compiled_loss(examples.labels, logits, weight)
        strong_loss = self.compiled_loss(examples.labels[:count], strong, strong_weight)
        return 0.5 * (weak_loss + strong_loss)

    def pseudo_labels(self, source_logits, target_logits, labels):
        """Return distributions `(target, classes)`, and 1 where they are certain, else 0."""
        source, target = tf.nn.softmax(source_logits), tf.nn.softmax(target_logits)
        wanted = tf.reduce_mean(source, 0)
        if self.shares is not None:
            self.shares(class_numbers(labels[: tf.shape(source)[0]]), target_logits)
            wanted = tf.convert_to_tensor(self.shares.target)
        aligned = target * wanted / tf.maximum(tf.reduce_mean(target, 0), 1e-6)
        aligned /= tf.reduce_sum(aligned, 1, keepdims=True)
        limit = self.threshold * tf.reduce_mean(tf.reduce_max(source, 1))
        certain = tf.cast(tf.reduce_max(aligned, 1) >= limit, "float32")
        return tf.stop_gradient(aligned), tf.stop_gradient(certain)
