import math

import keras
import tensorflow as tf

from keras_dtl.layers import GradientReversal
from keras_dtl.layers.gradient_reversal import reverse_gradient
from keras_dtl.losses import domain_accuracy, domain_crossentropy
from keras_dtl.methods.adaptation.adversarial import AdversarialAdaptation
from keras_dtl.methods.adaptation.restraint import Restraint


@keras.saving.register_keras_serializable("keras_dtl")
class DANN(AdversarialAdaptation):
    """Domain-adversarial training: features from which the domain cannot be told.

    A discriminator tells source features from target features while the encoder, through a
    gradient reversal, is driven to prevent it:

        min over encoder, classifier:  L_label - strength * adaptation_weight * L_domain
        min over discriminator:        adaptation_weight * L_domain

    The strength acts on the encoder alone, as in the paper; the discriminator learns at full
    rate from the first step. Let `keras_dtl.callbacks.ProgressSchedule` raise it from 0 to 1:

        ProgressSchedule({"reversal_strength": reversal_ramp(),
                          "optimizer.learning_rate": inverse_decay(0.01)})

    Weights of source examples count in both losses, those under `"target_weight"` in the domain
    loss.

    Logs: `label_loss`, `domain_loss` (log 2 = 0.693 when the discriminator is lost) and
    `domain_accuracy` (0.5 = chance).

    Reference: Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 2016.

    Differs from the paper: the discriminator gives one logit under binary cross-entropy, not
    two under softmax, which is the same function with half the last layer; the last layer is
    refit with a linear SVM before scoring only where `keras_dtl.methods.refit_head` is called.

    For segmentation the discriminator may judge each position of the features or, after Tsai et
    al., "Learning to Adapt Structured Output Space for Semantic Segmentation", CVPR 2018, the
    layout that the predicted classes form: `discriminated="probabilities"`. There the reversal
    takes the place of that paper's inverted labels. `"self_information"`, `-p log p` of each
    class, is AdvEnt of Vu et al., "ADVENT: Adversarial Entropy Minimization for Domain Adaptation
    in Semantic Segmentation", CVPR 2019: the target becomes as certain as the source.

    Args:
        encoder, classifier, adaptation_weight, batch_norm: See `DomainAdaptation`.
        discriminator: Network from features to one logit a decision: `(batch, 1)`, or a map of
            them. It must not end in a sigmoid.
        reversal_strength: Initial value of the strength, 0 or more. It is the attribute
            `reversal_strength`, a weight that is saved with the model.
        discriminated: What the discriminator sees: `"features"`, or the classifier's
            `"probabilities"` or `"self_information"` (divided by that of one class of all, so that
            they sum to 0..1).
        restrained: Whether the strength is multiplied by the share of the labels that has been
            learnt, see `Restraint`: then the adversary cannot keep an encoder from learning the
            classes at all. The paper does not.

    Example:

    ```python
    import keras_dtl

    encoder = keras_dtl.backbones.lenet((28, 28, 3))
    classifier = keras_dtl.backbones.mlp(encoder.output_shape[1:], (100, 100), 10)
    discriminator = keras_dtl.backbones.mlp(encoder.output_shape[1:], (100,), 1)
    model = keras_dtl.DANN(encoder, classifier, discriminator)
    ```
    """

    tracked = ("label_loss", "domain_loss", "domain_accuracy")
    choices = ("features", "probabilities", "self_information")

    def __init__(
        self,
        encoder,
        classifier,
        discriminator,
        adaptation_weight=1.0,
        reversal_strength=1.0,
        batch_norm="joint",
        discriminated="features",
        restrained=False,
        **kwargs,
    ):
        weights = (adaptation_weight, batch_norm)
        super().__init__(encoder, classifier, discriminator, *weights, discriminated, **kwargs)
        self.reversal = GradientReversal(reversal_strength)
        self.restrained = restrained
        self.restraint = Restraint(classifier.output_shape[-1]) if restrained else None

    @property
    def reads_classes(self):
        of_answers = self.discriminated != "features" or self.restrained
        return of_answers or super().reads_classes

    @property
    def reversal_strength(self):
        return self.reversal.strength

    def adaptation_terms(self, outputs):
        if self.restraint is not None:
            self.restraint.watch(outputs.source[1], outputs.target[1])
        # One pass over both domains: the discriminator may hold batch normalisation too.
        evidence = self.reverse(self.evidence(outputs))
        logits = self.discriminator(evidence, training=True)
        domains = logits[: outputs.count], logits[outputs.count :]
        self.trackers["domain_accuracy"].update_state(
            domain_accuracy(*domains), tf.shape(logits)[0]
        )
        return {"domain_loss": domain_crossentropy(*domains, *self.domain_weights(outputs))}

    def evidence(self, outputs):
        """Return what the discriminator judges by: a hook that a variant overrides.

        Args:
            outputs: `DomainOutputs` of a batch.

        Returns:
            Tensor `(source + target, ...)`.
        """
        if self.discriminated == "features":
            return outputs.features
        probabilities = tf.nn.softmax(outputs.logits)
        if self.discriminated == "probabilities":
            return probabilities
        classes = self.classifier.output_shape[-1]
        return -probabilities * tf.nn.log_softmax(outputs.logits) / math.log(classes)

    def domain_weights(self, outputs):
        """Return `(source weights, target weights)` in the domain loss, or None for each.

        Args:
            outputs: `DomainOutputs` of a batch.
        """
        return outputs.domain_weights

    def reverse(self, seen):
        """Return what the discriminator sees, whose gradient comes back reversed."""
        if self.restraint is None:
            return self.reversal(seen)
        return reverse_gradient(seen, self.restraint.share * self.reversal_strength)

    def weigh(self, terms, label_loss):
        if self.restraint is not None:
            self.restraint(label_loss)  # holds back the next step
        return super().weigh(terms, label_loss)
