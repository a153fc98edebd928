import keras
import tensorflow as tf

from keras_dtl.distribution import draw
from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation
from keras_dtl.methods.adaptation.examples import class_numbers, unpack

BLUR = 5
"""Side in pixels of the kernel by which mixed images are blurred."""


@keras.saving.register_keras_serializable("keras_dtl")
class DACS(DomainAdaptation):
    """Cross-domain mixed sampling: a segmenter that learns from target images with pasted source.

        min  L_label + strength * adaptation_weight
                       * mean over pixels of w * CE(mixed labels, answer to the mixed image)

    Half of the classes of a source image are cut out and pasted into a target image (ClassMix).
    The labels of the mixed image are the source's where it was pasted, and elsewhere pseudo-labels:
    the answers of a teacher, whose weights are the moving mean of those that learn. There `w` is
    the share of the batch's target pixels of which the teacher is certain, and 1 where pasted. The
    mixed image is changed in colour and blurred at random before it is answered.

    Batches are those of `DomainAdaptation`. Labels outside 0..classes - 1 are void: they are not
    pasted, and count in no term.

    Logs: `label_loss`, `mixed_loss`, and `certain`, the share of pixels that `w` is.

    Reference: Tranheden, Olsson, Pinto & Svensson, "DACS: Domain Adaptation via Cross-domain Mixed
    Sampling", WACV 2021; Olsson et al., "ClassMix", WACV 2021.

    Differs from the paper: the teacher moves before each step instead of after it. Under
    `tf.distribute`, replicas change the colours of their images by the same random numbers.

    Args:
        encoder, adaptation_weight, batch_norm: See `DomainAdaptation`.
        classifier: Network from features to maps of logits.
        threshold: Probability from which the teacher is certain, in 0..1.
        momentum: Share of the teacher's weights that a step keeps, in 0..1; in the first steps
            less, so that the teacher begins as the mean of all.
        jitter: Largest change of brightness, contrast, saturation and hue, each 0..1; 0 changes
            neither colours nor sharpness.

    Raises:
        ValueError: When `classifier` answers whole images, or a number is out of its range.
    """

    tracked = ("label_loss", "mixed_loss", "certain")
    scheduled = True
    compares_domains = False
    reads_classes = True

    def __init__(
        self,
        encoder,
        classifier,
        adaptation_weight=1.0,
        threshold=0.968,
        momentum=0.99,
        jitter=0.25,
        batch_norm="joint",
        **kwargs,
    ):
        super().__init__(encoder, classifier, adaptation_weight, batch_norm, **kwargs)
        numbers = {"threshold": threshold, "momentum": momentum, "jitter": jitter}
        if not self.dense or not all(0 <= number <= 1 for number in numbers.values()):
            raise ValueError(
                "DACS needs a classifier that gives maps of logits, and numbers in 0..1. "
                f"Received: {numbers}, logits of shape {classifier.output_shape}."
            )
        self.threshold = threshold
        self.momentum = momentum
        self.jitter = jitter
        self.random = keras.random.SeedGenerator()
        self._colors = keras.layers.RandomColorJitter(
            (0, 255), jitter, jitter, _saturations(jitter), jitter
        )
        self._blur = keras.layers.RandomGaussianBlur(0.5 if jitter else 0.0, BLUR, 1.0)
        self._learning = [*encoder.weights, *classifier.weights]
        self._teacher = [
            self.add_weight(
                name=f"teacher_{index}",
                shape=weight.shape,
                initializer="zeros",
                dtype=weight.dtype,
                trainable=False,
                aggregation="only_first_replica",
            )
            for index, weight in enumerate(self._learning)
        ]
        self._steps = self.add_weight(
            name="teacher_steps",
            shape=(),
            initializer="zeros",
            trainable=False,
            dtype="float32",
            aggregation="only_first_replica",
        )

    def train_step(self, batch):
        # 1. The teacher follows, and answers the target images.
        # 2. Half of each source image's classes over the target image and over these answers.
        # 3. One step down the label loss and the loss of the mixed images.
        batch = self.check_batch(batch)
        examples = unpack(batch)
        self._move_teacher()
        pseudo_labels, certain = self.pseudo_labels(batch["target"])
        pasted, image, labels = self._mix(batch, pseudo_labels)
        weights = tf.where(pasted, 1.0, certain)
        images = examples.source_images
        if "target_labelled" in batch:
            images = tf.concat([images, batch["target_labelled"][0]], 0)
        with tf.GradientTape() as tape:
            outputs = self.domain_outputs(images, self._changed(image))
            label_loss = self.compiled_loss(
                examples.labels, outputs.source[1], examples.sample_weight
            )
            terms = {"mixed_loss": _pixel_loss(labels, outputs.target[1], weights)}
            loss = label_loss + self.weigh(terms, label_loss) + self.regularization()
        self.minimize(loss, tape)
        self.trackers["certain"].update_state(certain, tf.shape(batch["target"])[0])
        self.compute_metrics(None, examples.labels, outputs.source[1], examples.sample_weight)
        return self.report(examples.known, loss=loss, label_loss=label_loss, **terms)

    def pseudo_labels(self, images):
        """Return what the teacher answers, and how much of it is certain.

        Args:
            images: uint8 `(batch, height, width, channels)`.

        Returns:
            int32 `(batch, height, width)`, and a scalar float32 in 0..1.
        """
        teacher = [tf.convert_to_tensor(weight) for weight in self._teacher]
        with keras.StatelessScope(zip(self._learning, teacher, strict=True)):
            logits = self.outputs(images, training=False)[1]
        certainty = tf.reduce_max(tf.nn.softmax(logits), -1)
        certain = tf.reduce_mean(tf.cast(certainty >= self.threshold, "float32"))
        return tf.argmax(logits, -1, "int32"), certain

    def _move_teacher(self):
        steps = tf.convert_to_tensor(self._steps)  # not the optimizer's, which `compile` renews
        keep = tf.minimum(steps / (steps + 1.0), self.momentum)
        self._steps.assign(steps + 1.0)
        for theirs, ours in zip(self._teacher, self._learning, strict=True):
            share = tf.cast(keep, theirs.dtype)
            theirs.assign(share * theirs + (1 - share) * tf.cast(ours, theirs.dtype))

    def _mix(self, batch, pseudo_labels):
        """Return where the source is pasted, and the mixed images and their labels."""
        source, labels = batch["source"][:2]
        target = batch["target"]
        turns = tf.range(tf.shape(target)[0]) % tf.shape(source)[0]  # a source image for each
        source, labels = (
            tf.gather(source, turns),
            tf.cast(tf.gather(class_numbers(labels), turns), "int32"),
        )
        classes = self.classifier.output_shape[-1]
        scores = draw(keras.random.uniform, tf.shape(target)[0], (classes,), self.random)
        pasted = half_of_classes(labels, scores)
        images = tf.where(pasted[..., None], source, target)
        return pasted, images, tf.where(pasted, labels, pseudo_labels)

    def _changed(self, images):
        if not self.jitter:
            return images
        changed = self._colors(tf.cast(images, "float32"), training=True)
        # Beyond the edge the blur sees black, which would frame the images.
        edge = BLUR // 2
        wide = tf.pad(changed, [[0, 0], [edge, edge], [edge, edge], [0, 0]], "SYMMETRIC")
        changed = self._blur(wide, training=True)[:, edge:-edge, edge:-edge]
        return tf.cast(tf.clip_by_value(tf.round(changed), 0, 255), images.dtype)


def _saturations(change):
    """Return the least and largest factor, as Keras takes them, of a saturation in 1 +- change.

    Keras multiplies by `factor / (1 - factor)`: at 0.5 it changes nothing.
    """
    return tuple(share / (1 + share) for share in (1 - change, 1 + change))


def half_of_classes(labels, scores):
    """Return where maps show the half of their classes, rounded up, that have the highest scores.

    Args:
        labels: int32 `(batch, height, width)`; what is outside 0..classes - 1 is shown nowhere.
        scores: `(batch, classes)` of 0 or more.

    Returns:
        bool `(batch, height, width)`.
    """
    shown = tf.one_hot(labels, tf.shape(scores)[1])
    present = tf.reduce_max(shown, [1, 2])
    rank = tf.argsort(tf.argsort(tf.where(present > 0, scores, -1.0), direction="DESCENDING"))
    half = tf.math.ceil(tf.reduce_sum(present, 1, keepdims=True) / 2)
    chosen = present * tf.cast(tf.cast(rank, "float32") < half, "float32")
    return tf.einsum("bhwc,bc->bhw", shown, chosen) > 0


def _pixel_loss(labels, logits, weights):
    """Return the mean of weighted cross-entropies over the pixels that are not void."""
    classes = logits.shape[-1]
    known = (labels >= 0) & (labels < classes)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(known, labels, 0), logits)
    weights *= tf.cast(known, "float32")
    return tf.math.divide_no_nan(
        tf.reduce_sum(weights * losses), tf.reduce_sum(tf.cast(known, "float32"))
    )
