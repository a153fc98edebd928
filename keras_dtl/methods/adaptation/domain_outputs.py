"""What the networks make of a batch of both domains, as the losses of adaptation take it."""

from typing import NamedTuple

import tensorflow as tf


class DomainOutputs(NamedTuple):
    """What the networks make of a batch: the source's images first, then the target's.

    The target's labelled images come before its others, so the first `len(labels)` of all are
    the labelled ones. A loss that treats both domains alike takes the whole; only who takes one
    domain pays for the slice.
    """

    features: tf.Tensor
    """Output of the encoder, `(source + target, ...)`."""
    logits: tf.Tensor
    """Output of the classifier in float32, `(source + target, classes)`."""
    count: tf.Tensor | int
    """How many of them are the source's."""
    labels: tf.Tensor | None = None
    """Known labels: the source's, then those of the labelled target images."""
    weights: tf.Tensor | None = None
    """Weight of each example in the adaptation, where the batch gives any."""
    activations: dict = {}  # noqa: RUF012 (never changed)
    """Outputs of further layers by name, see `LayerAlignment`."""

    @property
    def source(self):
        """`(features, logits)` of the source images."""
        return self.features[: self.count], self.logits[: self.count]

    @property
    def target(self):
        """`(features, logits)` of the target images, the labelled ones first."""
        return self.features[self.count :], self.logits[self.count :]

    @property
    def domain_weights(self):
        """`(source weights, target weights)`, both None where the batch gives none."""
        if self.weights is None:
            return None, None
        return self.weights[: self.count], self.weights[self.count :]

    @property
    def unlabelled_target(self):
        """`(features, logits)` of the target images whose labels are not known."""
        known = tf.shape(self.labels)[0]
        return self.features[known:], self.logits[known:]
