"""Metrics of probabilities for classifiers that give logits."""

import keras

from keras_dtl.methods.inputs import ACCURACIES, answer_kind, snake_name

OF_PROBABILITIES = (
    *("AUC", "Precision", "Recall", "PrecisionAtRecall", "RecallAtPrecision"),
    *("SensitivityAtSpecificity", "SpecificityAtSensitivity", "BinaryAccuracy", "BinaryIoU"),
    *("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"),
    *("FBetaScore", "F1Score", "KLDivergence"),
    *("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"),
)
"""Keras' metrics that read numbers in 0..1."""
CROSSENTROPY_NAMES = ("crossentropy", "ce")
ACTIVATIONS = {"softmax": keras.ops.softmax, "sigmoid": keras.ops.sigmoid}


@keras.saving.register_keras_serializable("keras_dtl")
class OfProbabilities(keras.metrics.Metric):
    """A metric of probabilities that is given logits.

    Args:
        metric: Keras metric, such as `AUC`.
        activation: `"softmax"` or `"sigmoid"`, which makes probabilities of the logits.
        name: As it is called in logs; by default as the metric is.
    """

    def __init__(self, metric, activation, name=None, **kwargs):
        super().__init__(name=name or metric.name, **kwargs)
        self.metric = metric
        self.activation = activation

    def update_state(self, y_true, y_pred, sample_weight=None):
        probabilities = ACTIVATIONS[self.activation](y_pred)
        self.metric.update_state(y_true, probabilities, sample_weight)

    def result(self):
        return self.metric.result()

    def reset_state(self):
        self.metric.reset_state()

    def get_config(self):
        metric = keras.saving.serialize_keras_object(self.metric)
        return {**super().get_config(), "metric": metric, "activation": self.activation}

    @classmethod
    def from_config(cls, config):
        metric = keras.saving.deserialize_keras_object(config["metric"])
        return cls(**{**config, "metric": metric})


def logits_metrics(metrics, output_shape, loss):
    """Return metrics that read logits as what they stand for.

    By its name Keras would take the accuracy of yes and no for one of a probability, of which yes
    is above 0.5, and areas under curves, precisions and cross-entropies by logits for those by
    probabilities.

    Args:
        metrics: What `compile` was given: names, functions and Keras metrics, in lists or a
            dictionary.
        output_shape: Of the classifier.
        loss: As `logits_loss` returned it.
    """
    kind = answer_kind(output_shape, loss)
    if kind not in ACTIVATIONS:
        return metrics
    if isinstance(metrics, dict):
        return {k: logits_metrics(each, output_shape, loss) for k, each in metrics.items()}
    if isinstance(metrics, (list, tuple)):
        return [logits_metrics(each, output_shape, loss) for each in metrics]
    return None if metrics is None else _of_logits(metrics, kind, loss)


def _of_logits(metric, kind, loss):
    name = metric if isinstance(metric, str) else getattr(metric, "__name__", None)
    if kind == "sigmoid" and isinstance(metric, str) and snake_name(name) in ACCURACIES:
        return keras.metrics.BinaryAccuracy(threshold=0.0, name=metric)
    if isinstance(name, str):
        known = _by_name(name, loss)
        return metric if known is None else OfProbabilities(known, kind, name)
    return OfProbabilities(metric, kind) if _reads_probabilities(metric) else metric


def _by_name(name, loss):
    """Return the metric of probabilities that a name or a function means, or None."""
    if name in CROSSENTROPY_NAMES:
        return keras.metrics.get(type(loss).__name__)
    try:
        metric = keras.metrics.get(name)
    except (TypeError, ValueError):  # Keras says it better, or an own function
        return None
    return metric if _reads_probabilities(metric) else None


def _reads_probabilities(metric):
    """Return whether a metric is one of Keras' for numbers in 0..1, and not told otherwise."""
    kind = type(metric)
    if kind.__name__ not in OF_PROBABILITIES or not kind.__module__.startswith("keras."):
        return False
    config = metric.get_config()
    thresholds = config.get("thresholds", config.get("threshold"))
    given = thresholds if isinstance(thresholds, (list, tuple)) else [thresholds]
    of_logits = any(each is not None and not 0 < each < 1 for each in given)
    return not (config.get("from_logits") or of_logits)
