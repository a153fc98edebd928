import keras
import numpy as np
import tensorflow as tf

from keras_dtl.losses import mean_entropy
from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation
from keras_dtl.methods.adaptation.examples import check_batch
from keras_dtl.methods.inputs import check_pixels, first_batch


@keras.saving.register_keras_serializable("keras_dtl")
class SHOT(DomainAdaptation):
    """Source hypothesis transfer: a trained classifier adapts without the images it learnt from.

    The last layer stays as it is; what lies below learns, on target images alone, to give it
    answers that are certain one by one and diverse as a whole, and that agree with
    pseudo-labels:

        min  H(answer) - H(mean answer) + pseudo_label_weight * CE(pseudo-label, answer)

    A pseudo-label is the class whose centroid lies nearest in direction, among the features that
    enter the last layer. Centroids are those of all target images, at the start of each epoch:

        model = SHOT(trained.encoder, trained.classifier)
        model.fit(batches, callbacks=[Refresh(images)])

    Batches are `{"target": images}`. A class that no image is taken for has no centroid, and is no
    pseudo-label. Adapting relies on what the classifier already knows: begin with a run whose
    target accuracy is well above chance.

    Logs: `entropy`, `negative_diversity`, `pseudo_label_loss`.

    Reference: Liang, Hu & Feng, "Do We Really Need to Access the Source Data? Source Hypothesis
    Transfer for Unsupervised Domain Adaptation", ICML 2020.

    Differs from the paper: an image's nearest centroid is looked up when it is trained on, not
    once an epoch, so that changed images may have labels too; the classifier's last layer is the
    one it came with, where the paper trains one with normalised weights.

    Args:
        encoder, classifier: Networks of a trained `DomainAdaptation` or `FineTuning`. The last
            layer of the classifier, or all of it where that is no `Dense` layer, stays as it is.
        pseudo_label_weight: Number of 0 or more; the paper takes 0.3, on digits 0.1.
        diversity_weight: Number of 0 or more. 1 supposes classes that are about equally frequent.
        batch_norm: `"joint"`, which is the target's here, or `"frozen"`; see `DomainAdaptation`.
    """

    tracked = ("entropy", "negative_diversity", "pseudo_label_loss")
    compares_domains = False
    learning = ("encoder",)
    reads_classes = True

    def __init__(
        self,
        encoder,
        classifier,
        pseudo_label_weight=0.3,
        diversity_weight=1.0,
        batch_norm="joint",
        **kwargs,
    ):
        super().__init__(encoder, classifier, 1.0, batch_norm, **kwargs)
        if self.dense:
            raise ValueError(
                "SHOT needs a classifier of whole images. Received: logits of shape "
                f"{classifier.output_shape}."
            )
        self.pseudo_label_weight = pseudo_label_weight
        self.diversity_weight = diversity_weight
        self._body, self._last = _divide(classifier)
        self._last.trainable = False
        width = (classifier.input_shape if self._body is None else self._body.output_shape)[-1]
        self.centroids = self.add_weight(
            name="centroids",
            shape=(classifier.output_shape[-1], width + 1),
            initializer="zeros",
            trainable=False,
            dtype="float32",
        )

    def fit(self, x=None, *args, **kwargs):
        """See `keras.Model.fit`, for batches of the target alone.

        Args:
            x: `tf.data.Dataset` of `{"target": images}`.
            *args, **kwargs: Of `keras.Model.fit`.

        Raises:
            ValueError: When images were scaled before, which the encoder does by itself.
        """
        batch = first_batch(x)
        if isinstance(batch, dict) and "target" in batch:
            check_pixels(batch["target"], self.encoder)
        return super(DomainAdaptation, self).fit(x, *args, **kwargs)

    def check_batch(self, batch):
        return check_batch(type(self), batch, ("target",))

    def outputs(self, images, training):
        features = self.represent(images, training)
        return features, tf.cast(self._last(features), "float32"), {}

    def represent(self, images, training):
        """Return what enters the last layer, `(batch, width)`."""
        features = self.encoder(images, training=training)
        return features if self._body is None else self._body(features, training=training)

    def train_step(self, batch):
        batch = self.check_batch(batch)
        with tf.GradientTape() as tape:
            features, logits, _ = self.outputs(batch["target"], training=True)
            mean_answer = tf.reduce_mean(tf.nn.softmax(logits), 0)
            entropy = mean_entropy(logits)
            diversity = tf.reduce_sum(mean_answer * tf.math.log(tf.maximum(mean_answer, 1e-7)))
            pseudo_label_loss = self._pseudo_label_loss(features, logits)
            loss = entropy + self.diversity_weight * diversity
            loss += self.pseudo_label_weight * pseudo_label_loss + self.regularization()
        self.minimize(loss, tape)
        return self.report(
            tf.shape(logits)[0],
            loss=loss,
            entropy=entropy,
            negative_diversity=diversity,
            pseudo_label_loss=pseudo_label_loss,
        )

    def report(self, examples=None, **terms):
        """See `Method.report`. Metrics of labels, which training lacks, are left to `evaluate`."""
        self.update_terms(terms, examples)
        names = (*self.tracked, "loss")
        return {metric.name: metric.result() for metric in self.metrics if metric.name in names}

    def get_metrics_result(self):
        """See `keras.Model.get_metrics_result`. Metrics of labels are there from `evaluate` on."""
        built = all(getattr(metric, "built", True) for metric in self.metrics)
        return super().get_metrics_result() if built else self.report()

    def _pseudo_label_loss(self, features, logits):
        centroids = tf.convert_to_tensor(self.centroids)
        present = tf.reduce_any(centroids != 0, 1)
        similarity = tf.matmul(_directions(features), centroids, transpose_b=True)
        labels = tf.argmax(tf.where(present, tf.stop_gradient(similarity), -2.0), 1)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        # Nothing to agree with before the first centroids.
        return tf.where(tf.reduce_any(present), tf.reduce_mean(losses), 0.0)

    def refresh(self, images, batch_size=256):
        """Take the centroids of all target images, as the model sees them now.

        Args:
            images: uint8 array `(examples, height, width, channels)`.
            batch_size: Of prediction.

        Raises:
            ValueError: When there are fewer images than classes.
        """
        check_pixels(images, self.encoder)
        classes = self.classifier.output_shape[-1]
        if len(images) < classes:
            raise ValueError(
                f"Centroids of {classes} classes need at least as many target images. Received: "
                f"{len(images)}."
            )
        found = [
            [part.numpy() for part in self.outputs(images[k : k + batch_size], training=False)[:2]]
            for k in range(0, len(images), batch_size)
        ]
        features, logits = (np.concatenate(parts) for parts in zip(*found, strict=True))
        self.centroids.assign(class_centroids(features, tf.nn.softmax(logits).numpy()))


def class_centroids(features, probabilities):
    """Return a centroid of each class among features, from soft answers and then from its own.

    Args:
        features: `(examples, width)`.
        probabilities: `(examples, classes)`.

    Returns:
        float32 `(classes, width + 1)`, each of length 1, or 0 for a class without examples.
    """
    directions = _directions(features).numpy()
    centroids = _normalize(probabilities.T @ directions)
    present = np.bincount(probabilities.argmax(1), minlength=len(centroids)) > 0
    similarity = np.where(present, directions @ centroids.T, -2.0)
    answers = np.eye(len(centroids), dtype="float32")[similarity.argmax(1)]
    return _normalize(answers.T @ directions).astype("float32")


def _directions(features):
    """Return features with a 1 behind them, of length 1, as the authors' code compares them."""
    features = tf.cast(features, "float32")
    return tf.math.l2_normalize(tf.concat([features, tf.ones_like(features[:, :1])], 1), 1)


def _normalize(vectors):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _divide(classifier):
    """Return what learns of a classifier, or None, and what stays."""
    last = classifier.layers[-1]
    if not isinstance(last, keras.layers.Dense):
        return None, classifier
    if last.input is classifier.inputs[0]:
        return None, last
    return keras.Model(classifier.inputs[0], last.input), last
