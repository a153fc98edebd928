import keras

from keras_dtl.layers import GradientReversal
from keras_dtl.losses import mean_entropy
from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation


@keras.saving.register_keras_serializable("keras_dtl")
class MME(DomainAdaptation):
    """Minimax entropy, where a few target labels are known.

    The classifier's weights are prototypes of the classes. On unlabelled target images it
    raises the entropy of its answers, which moves the prototypes toward the target, while the
    encoder, through a gradient reversal, lowers it, which gathers features around them:

        min over encoder:     L_label + adaptation_weight * H
        min over classifier:  L_label - adaptation_weight * H

    Logs: `label_loss`, `negative_entropy` (-H in nats).

    Reference: Saito et al., "Semi-supervised Domain Adaptation via Minimax Entropy", ICCV 2019.

    Differs from the paper's code: both losses are minimised in one update, not in two.

    Args:
        encoder, adaptation_weight, batch_norm: See `DomainAdaptation`; the paper's weight is 0.1.
        classifier: Network from features to logits. The paper's compares directions: let it end
            in `keras_dtl.layers.CosineLogits`.

    Example:

    ```python
    import keras
    import keras_dtl

    encoder = keras_dtl.backbones.lenet((28, 28, 3))
    features = keras.Input(encoder.output_shape[1:])
    logits = keras_dtl.layers.CosineLogits(10)(features)
    model = keras_dtl.MME(encoder, keras.Model(features, logits))
    ```
    """

    tracked = ("label_loss", "negative_entropy")
    adversarial = True
    compares_domains = False
    reads_classes = True
    calls_once = False
    needs = ("target", "target_labelled")

    def __init__(self, encoder, classifier, adaptation_weight=0.1, batch_norm="joint", **kwargs):
        super().__init__(encoder, classifier, adaptation_weight, batch_norm, **kwargs)
        self.reversal = GradientReversal()

    def adaptation_terms(self, outputs):
        features, _ = outputs.unlabelled_target
        logits = self.classifier(self.reversal(features), training=True)
        return {"negative_entropy": -mean_entropy(logits)}
