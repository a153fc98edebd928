"""Class shares of a target whose labels are not known, and what they are good for."""

import keras
import numpy as np
import tensorflow as tf

LEAST_EXAMPLES = 10
"""Below so many target examples a class, shares are guesses."""
ROUNDS = 200
LARGEST_RATIO = 10.0


def shares_by_matching(source_probabilities, source_labels, target_probabilities):
    """Estimate the shares of the classes in a target from how its answers are distributed.

    Solves `confusion of the source * (target share / source share) = answers on the target`, where
    the confusion is that of source examples which were not trained on. Right for any classifier,
    calibrated or not, whose confusion can be inverted, as long as images of a class look alike in
    both domains.

    Reference: Lipton et al., "Detecting and Correcting for Label Shift with Black Box Predictors",
    ICML 2018 (BBSE, hard answers).

    Args:
        source_probabilities: `(examples, classes)` of held-out source examples.
        source_labels: Their integers, `(examples,)`; every class must be among them.
        target_probabilities: `(examples, classes)` of the target.

    Returns:
        float64 array `(classes,)` with sum 1.

    Raises:
        ValueError: When there are too few target examples, a class lacks source examples, or two
            classes are always confused.
    """
    source, target = (_as_probabilities(p) for p in (source_probabilities, target_probabilities))
    classes = source.shape[1]
    _require_enough(target)
    labels = np.asarray(source_labels)
    missing = sorted(set(range(classes)).difference(labels.tolist()))
    if missing:
        raise ValueError(
            f"Shares can be estimated only where the source shows every class. Missing: {missing}."
        )
    joint = np.zeros((classes, classes))
    np.add.at(joint, (source.argmax(1), labels), 1 / len(labels))
    answers = np.bincount(target.argmax(1), minlength=classes) / len(target)
    if np.linalg.cond(joint) > 1e4:
        raise ValueError(
            "The classifier confuses classes so much that their shares cannot be told apart. Train "
            "it longer, or estimate by `shares_by_likelihood`."
        )
    ratio = np.maximum(np.linalg.solve(joint, answers), 0)
    shares = ratio * np.bincount(labels, minlength=classes) / len(labels)
    return shares / shares.sum()


def shares_by_likelihood(target_probabilities, source_shares):
    """Estimate the shares of the classes in a target by expectation maximisation.

    Answers are turned to the shares found so far, whose mean gives the next ones, until nothing
    changes: the maximum likelihood for a calibrated classifier.

    Reference: Saerens, Latinne & Decaestecker, "Adjusting the Outputs of a Classifier to New a
    Priori Probabilities", Neural Computation 2002.

    Args:
        target_probabilities: `(examples, classes)` of the target.
        source_shares: Shares of the classes among what was trained on, `(classes,)`, above 0.

    Returns:
        float64 array `(classes,)` with sum 1.

    Raises:
        ValueError: When there are too few target examples, or a share is 0.
    """
    target = _as_probabilities(target_probabilities)
    _require_enough(target)
    source_shares = np.asarray(source_shares, "float64")
    if source_shares.shape != target.shape[1:] or source_shares.min() <= 0:
        raise ValueError(
            f"Expected a share above 0 of each of {target.shape[1]} classes. Received: "
            f"{source_shares}."
        )
    shares = source_shares / source_shares.sum()
    for _ in range(ROUNDS):
        turned = target * (shares / source_shares)
        found = (turned / turned.sum(1, keepdims=True)).mean(0)
        if np.abs(found - shares).max() < 1e-6:
            break
        shares = found
    return found


def turn_to_shares(model, target_shares, source_shares):
    """Turn a trained classifier to other shares of its classes, in place.

    Adds `log(target share / source share)` to the last layer's bias, which multiplies its
    probabilities as Bayes' rule asks for. A class that is not in the target keeps a thousandth.

    Args:
        model: A `DomainAdaptation` whose classifier ends in a `Dense` layer with a bias.
        target_shares, source_shares: `(classes,)`.

    Raises:
        ValueError: When the classifier ends otherwise.
    """
    last = model.classifier.layers[-1]
    if not isinstance(last, keras.layers.Dense) or not last.use_bias:
        raise ValueError(
            "Only a classifier that ends in a Dense layer with a bias can be turned to other "
            f"shares. Received: one that ends in {type(last).__name__}."
        )
    target, source = (np.maximum(x, 1e-3) for x in (target_shares, source_shares))
    last.bias.assign(last.bias + np.log(target / source).astype("float32"))


@keras.saving.register_keras_serializable("keras_dtl")
class ClassShares(keras.layers.Layer):
    """Running shares of the classes in both domains, and weights from one to the other.

    The source's are means of its labels, the target's means of the answers on it: those of
    `shares_by_matching` for a classifier that fits its source. Maximum likelihood, which turns the
    answers by what was found before, is more exact where a classifier is calibrated; within a
    training it runs away to a few classes, so it is for trained models alone. No gradient flows
    through the shares.

    Args:
        classes: How many.
        momentum: Share of the old mean that a step keeps.

    Call arguments:
        labels: Integers of the source, `(source,)`.
        target_logits: `(target, classes)`.

    Returns:
        Weight of each source example, float32 `(source,)`: target share over source share of its
        class, at most `LARGEST_RATIO`.
    """

    def __init__(self, classes, momentum=0.98, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.classes = classes
        self.momentum = momentum
        self.source = self._shares("source")
        self.target = self._shares("target")
        self.built = True

    def _shares(self, name):
        return self.add_weight(
            name=name,
            shape=(self.classes,),
            initializer=keras.initializers.Constant(1 / self.classes),
            trainable=False,
            dtype="float32",
            aggregation="mean",
        )

    def call(self, labels, target_logits):
        found = tf.reduce_mean(tf.one_hot(labels, self.classes), 0)
        self.source.assign(self.momentum * self.source + (1 - self.momentum) * found)
        found = tf.stop_gradient(tf.reduce_mean(tf.nn.softmax(target_logits), 0))
        self.target.assign(self.momentum * self.target + (1 - self.momentum) * found)
        return tf.gather(self.ratio(), labels)

    def ratio(self):
        """Return target share over source share of each class, `(classes,)`."""
        ratio = self.target / tf.maximum(self.source, 1e-6)
        return tf.clip_by_value(ratio, 1 / LARGEST_RATIO, LARGEST_RATIO)

    def get_config(self):
        return {**super().get_config(), "classes": self.classes, "momentum": self.momentum}


def redraw(weights):
    """Return positions of as many examples, each drawn in proportion to its weight.

    Drawn at even steps along the running sum of the weights, without chance: an example of twice
    the mean weight comes twice.

    Args:
        weights: Tensor `(examples,)` of 0 or more.

    Returns:
        int32 tensor `(examples,)`.
    """
    sums = tf.cumsum(weights)
    count = tf.shape(weights)[0]
    steps = (tf.range(tf.cast(count, "float32")) + 0.5) / tf.cast(count, "float32")
    return tf.minimum(tf.searchsorted(sums, steps * sums[-1]), count - 1)


def _as_probabilities(probabilities):
    p = np.asarray(probabilities, "float64")
    if p.ndim != 2 or not np.isfinite(p).all() or abs(p.sum(1) - 1).max() > 1e-2:
        raise ValueError(
            "Expected probabilities (examples, classes), each row with sum 1. Received: shape "
            f"{p.shape}."
        )
    return p


def _require_enough(target):
    examples, classes = target.shape
    if examples < LEAST_EXAMPLES * classes:
        raise ValueError(
            f"Shares of {classes} classes need at least {LEAST_EXAMPLES * classes} target "
            f"examples. Received: {examples}. Give more images, or train without label shift."
        )
