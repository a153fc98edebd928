import keras

from keras_dtl.losses import correlation_alignment
from keras_dtl.methods.adaptation.layer_alignment import LayerAlignment


@keras.saving.register_keras_serializable("keras_dtl")
class DeepCORAL(LayerAlignment):
    """Deep CORAL: layers whose activations covary alike in both domains.

        min  L_label + adaptation_weight * sum over layers of || C_source - C_target ||^2 / (4 d^2)

    Logs: `label_loss`, `coral_loss`.

    Reference: Sun & Saenko, "Deep CORAL: Correlation Alignment for Deep Domain Adaptation", 2016.

    Differs from the paper: in nothing but its defaults. The authors' weights span 0.0001 to 0.8
    by task, chosen so that both losses end alike; `adaptation_weight="auto"` does that.

    Args:
        encoder, classifier, adaptation_weight, batch_norm: See `DomainAdaptation`.
        compared, gather: See `LayerAlignment`; the paper compares the logits.

    Example:

    ```python
    import keras_dtl

    encoder = keras_dtl.backbones.lenet((28, 28, 3))
    classifier = keras_dtl.backbones.mlp(encoder.output_shape[1:], (100, 100), 10)
    model = keras_dtl.DeepCORAL(encoder, classifier, adaptation_weight="auto")
    ```
    """

    tracked = ("label_loss", "coral_loss")

    def __init__(
        self,
        encoder,
        classifier,
        adaptation_weight: float | str = 1.0,
        compared=("logits",),
        batch_norm="joint",
        gather=False,
        **kwargs,
    ):
        super().__init__(
            encoder, classifier, adaptation_weight, compared, batch_norm, gather, **kwargs
        )

    def distance(self, name, source, target):
        return correlation_alignment(source, target)
