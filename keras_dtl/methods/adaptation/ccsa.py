import keras
import tensorflow as tf

from keras_dtl.losses import contrastive_alignment
from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation
from keras_dtl.methods.adaptation.examples import class_numbers


@keras.saving.register_keras_serializable("keras_dtl")
class CCSA(DomainAdaptation):
    """Classification and contrastive semantic alignment, where a few target labels are known.

    Features of a class are drawn together across the domains, those of different classes are
    pushed at least a margin apart:

        min  L_label + adaptation_weight * (L_alignment + L_separation)

    over all pairs of a source and a labelled target image, see
    `keras_dtl.losses.contrastive_alignment`. Unlabelled target images are not looked at.

    Under `tf.distribute` the pairs are those within each replica's part of the batch.

    Logs: `label_loss`, `alignment_loss`, `separation_loss`.

    Reference: Motiian et al., "Unified Deep Supervised Domain Adaptation and Generalization",
    ICCV 2017.

    Differs from the paper: every pair of a batch counts, where the paper draws one pair of the
    same class for three of different ones; the label loss also sees the target's labels; the
    loss is a sum where the paper has `(1 - w) L_label + w (...)`; and distances are those of
    features of unit length, so that weight and margin suit encoders of every scale: as they are,
    features of a pretrained network are tens apart, which puts an end to the training.

    Args:
        encoder, classifier, adaptation_weight, batch_norm: See `DomainAdaptation`. The encoder's
            output must be vectors.
        margin: From which distance on features of different classes are far enough apart.
        unit_length: Whether features are scaled to length 1 for that; `False` as in the paper.
    """

    tracked = ("label_loss", "alignment_loss", "separation_loss")
    compares_domains = False
    needs = ("target_labelled",)

    def __init__(
        self,
        encoder,
        classifier,
        adaptation_weight=0.25,
        margin=1.0,
        batch_norm="joint",
        unit_length=True,
        **kwargs,
    ):
        super().__init__(encoder, classifier, adaptation_weight, batch_norm, **kwargs)
        if len(encoder.output_shape) != 2:
            raise ValueError(
                "CCSA compares vectors. Received: an encoder that gives "
                f"{encoder.output_shape}. Let it end in GlobalAveragePooling2D or Flatten."
            )
        if not margin > 0:
            raise ValueError(f"`margin` must be above 0. Received: {margin}")
        self.margin = margin
        self.unit_length = unit_length

    def train_step(self, batch):
        batch = self.check_batch(batch)
        return super().train_step({name: batch[name] for name in batch if name != "target"})

    def adaptation_terms(self, outputs):
        labels, count = class_numbers(outputs.labels), outputs.count
        features = tf.cast(outputs.features, "float32")
        if self.unit_length:
            features = tf.math.l2_normalize(features, axis=-1)
        alignment, separation = contrastive_alignment(
            features[:count], labels[:count], features[count:], labels[count:], self.margin
        )
        return {"alignment_loss": alignment, "separation_loss": separation}
