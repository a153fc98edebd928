"""What methods share that compare two domains layer by layer."""

import keras
import tensorflow as tf

from keras_dtl.distribution import gather
from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation

ENDS = ("features", "logits")
GRID = 8


class LayerAlignment(DomainAdaptation):
    """Adapts by a distance between the domains, summed over one or several layers.

    A segmenter's maps are compared position by position, see `pixels`.

    A subclass defines `distance` and names it second in `tracked`.

    Args:
        encoder, classifier, adaptation_weight, batch_norm: See `DomainAdaptation`.
        compared: Where the domains are compared: `"features"`, the encoder's output,
            `"logits"`, the classifier's, or the names of layers in either, which must then be
            functional models.
        gather: Whether, under `tf.distribute`, the examples of all replicas are compared, as one
            replica would; by default each replica compares its own, which takes no exchange of
            activations and is the mean of smaller comparisons.
    """

    def __init__(
        self, encoder, classifier, adaptation_weight, compared, batch_norm, gather=False, **kwargs
    ):
        super().__init__(encoder, classifier, adaptation_weight, batch_norm, **kwargs)
        self.gather = gather
        self.compared = (compared,) if isinstance(compared, str) else tuple(compared)
        watched = set(self.compared).difference(ENDS)
        _check_layers(watched, encoder, classifier)
        self._watching_encoder = _with_activations(encoder, watched)
        self._watching_classifier = _with_activations(classifier, watched)

    def distance(self, name, source, target):
        """Return how far two sets of activations are apart: the hook that a method overrides.

        Args:
            name: Which of `compared` they come from.
            source: Tensor `(source, ...)`.
            target: Tensor `(target, ...)`.

        Returns:
            Scalar float32 tensor.
        """
        raise NotImplementedError

    def adaptation_terms(self, outputs):
        activations = {**outputs.activations, "features": outputs.features}
        activations["logits"] = outputs.logits
        distances = []
        for name in self.compared:
            both, count = activations[name], outputs.count
            if self.dense:
                both, count = pixels(both, count)
            sets = both[:count], both[count:]
            distances.append(self.distance(name, *(map(gather, sets) if self.gather else sets)))
        return {self.tracked[1]: tf.add_n(distances)}

    def outputs(self, images, training):
        seen, features = self._watching_encoder(images, training=training)
        more, logits = self._watching_classifier(features, training=training)
        return features, self.resize_logits(logits, images), {**seen, **more}


def pixels(maps, count):
    """Return the positions of maps as examples, and how many of them are the source's.

    Maps are averaged over the cells of a grid of about `GRID` by `GRID`: neighbours are alike,
    and the cost of comparing all with all grows with the square of their number.

    Args:
        maps: Tensor `(batch, height, width, channels)`.
        count: How many of the batch are the source's.

    Raises:
        ValueError: When the size of the maps is not fixed.
    """
    if None in maps.shape[1:3]:
        raise ValueError(
            f"Domains can be compared on maps of a fixed size. Received: {maps.shape}. Give all "
            "images of a training one height and width."
        )
    cell = [-(-side // GRID) for side in maps.shape[1:3]]
    pooled = tf.nn.avg_pool2d(maps, cell, cell, "SAME")
    per_image = pooled.shape[1] * pooled.shape[2]
    return tf.reshape(pooled, (-1, maps.shape[-1])), count * per_image


def _check_layers(names, *networks):
    known = [layer.name for network in networks for layer in network.layers]
    twice = sorted(name for name in names if known.count(name) > 1)
    if twice:
        raise ValueError(
            f"`compared` names layers of which encoder and classifier have one each: "
            f"{', '.join(twice)}. Give the layers of one of them other names."
        )
    unknown = sorted(names.difference(known))
    if unknown:
        raise ValueError(
            f"`compared` names layers that are not there: {', '.join(unknown)}. Expected "
            f"features, logits or some of: {', '.join(known)}."
        )


def _with_activations(network, names):
    """Return a model of the same layers whose output is `({name: activation}, output)`."""
    seen = {layer.name: layer.output for layer in network.layers if layer.name in names}
    if not seen:
        return lambda inputs, training: ({}, network(inputs, training=training))
    return keras.Model(network.inputs[0], (seen, network.outputs[0]))
