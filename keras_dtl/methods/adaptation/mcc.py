import keras

from keras_dtl.losses import class_confusion
from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation
from keras_dtl.methods.adaptation.layer_alignment import pixels


@keras.saving.register_keras_serializable("keras_dtl")
class MCC(DomainAdaptation):
    """Minimum class confusion: a target whose classes are not mistaken for each other.

        min  L_label + strength * adaptation_weight * confusion of the classes in the target

    See `keras_dtl.losses.class_confusion`. Domains are not aligned, so the target may hold its
    classes in other shares than the source. Let `keras_dtl.callbacks.ProgressSchedule` raise the
    strength from 0 to 1, that the classes are learnt before the target is sorted into them:

        ProgressSchedule({"adaptation_strength": reversal_ramp()})

    Weights under `"target_weight"` count in the confusion.

    Logs: `label_loss`, `class_confusion` (0 to 1 - 1 / classes).

    Reference: Jin et al., "Minimum Class Confusion for Versatile Domain Adaptation", ECCV 2020.

    Differs from the paper: its weight is 1 from the first step on; so it is here without a
    schedule.

    Args:
        encoder, classifier, adaptation_weight, batch_norm: See `DomainAdaptation`.
        temperature: Of the answers that are compared; the paper takes 2 to 3.

    Example:

    ```python
    import keras_dtl

    encoder = keras_dtl.backbones.lenet((28, 28, 3))
    classifier = keras_dtl.backbones.mlp(encoder.output_shape[1:], (100, 100), 10)
    model = keras_dtl.MCC(encoder, classifier)
    ```
    """

    tracked = ("label_loss", "class_confusion")
    scheduled = True
    compares_domains = False
    reads_classes = True

    def __init__(
        self,
        encoder,
        classifier,
        adaptation_weight=1.0,
        temperature=2.5,
        batch_norm="joint",
        **kwargs,
    ):
        super().__init__(encoder, classifier, adaptation_weight, batch_norm, **kwargs)
        if not temperature > 0:
            raise ValueError(f"`temperature` must be above 0. Received: {temperature}")
        self.temperature = temperature

    def adaptation_terms(self, outputs):
        _, logits = outputs.target
        weights = outputs.domain_weights[1]
        if self.dense:
            (logits, _), weights = pixels(logits, 0), None
        return {"class_confusion": class_confusion(logits, self.temperature, weights)}
