import keras
import tensorflow as tf

from keras_dtl.layers.nesting import copy_weights
from keras_dtl.losses import domain_accuracy, domain_crossentropy
from keras_dtl.methods.adaptation.adversarial import AdversarialAdaptation
from keras_dtl.methods.adaptation.examples import unpack


@keras.saving.register_keras_serializable("keras_dtl")
class ADDA(AdversarialAdaptation):
    """Adversarial discriminative adaptation: a second encoder that speaks the first one's language.

    The first stage is `SourceOnly`: an encoder and a classifier learn the source. This model is
    the second. The source encoder and the classifier stay as they are, bit for bit; a target
    encoder, which starts from the source encoder's weights, learns to map target images to where
    a discriminator takes them for the source's:

        min over discriminator:   L_domain(source features, target features)
        min over target encoder:  L_domain with the target's labels inverted

    What is deployed is the target encoder under the source's classifier.

    Logs: `domain_loss`, `mapping_loss`, `domain_accuracy` (0.5 = chance), and `label_loss`, that
    of the labelled target images (0 without), which the target encoder then minimises too.

    Reference: Tzeng et al., "Adversarial Discriminative Domain Adaptation", CVPR 2017.

    Differs from the paper: the discriminator gives one logit under binary cross-entropy, not two
    under softmax.

    Args:
        encoder: The trained encoder, which becomes the target's.
        classifier: The classifier trained with it.
        discriminator: Network to one logit a decision, from what `discriminated` names.
        source_encoder: The source's encoder; by default a copy of `encoder` as it is now.
        discriminated: What the discriminator sees: `"features"` or, as in the authors' digit
            code, `"logits"`.
        adaptation_weight: Number of 0 or more, the weight of the mapping loss beside the label
            loss of labelled target images; alone it only scales.
        batch_norm: For the target encoder: `"joint"` and `"separate"` both normalise target
            images by themselves, which is the method; `"frozen"` keeps the statistics.

    Example:

    ```python
    import keras
    import keras_dtl

    encoder = keras_dtl.backbones.lenet((28, 28, 3))
    classifier = keras_dtl.backbones.mlp(encoder.output_shape[1:], (500,), 10)
    first = keras_dtl.SourceOnly(encoder, classifier)  # compile, fit
    judge = keras_dtl.backbones.mlp((10,), (500, 500), 1)
    model = keras_dtl.ADDA(first.encoder, first.classifier, judge)
    model.compile(
        keras.optimizers.Adam(2e-4, 0.5),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        discriminator_optimizer=keras.optimizers.Adam(2e-4, 0.5),
    )
    ```
    """

    tracked = ("label_loss", "domain_loss", "mapping_loss", "domain_accuracy")
    compares_domains = False
    learning = ("encoder", "discriminator")
    player_optimizers = ("discriminator_optimizer",)
    choices = ("features", "logits")

    def __init__(
        self,
        encoder,
        classifier,
        discriminator,
        source_encoder=None,
        discriminated="logits",
        adaptation_weight=1.0,
        batch_norm="joint",
        **kwargs,
    ):
        weights = (adaptation_weight, batch_norm)
        super().__init__(encoder, classifier, discriminator, *weights, discriminated, **kwargs)
        if source_encoder is encoder:
            raise ValueError(
                "`source_encoder` stays as it is while `encoder` learns: they cannot be one "
                "object. Leave it out, and it is a copy."
            )
        self.source_encoder = source_encoder or copy_of(encoder)
        self.source_encoder.trainable = False
        self.classifier.trainable = False

    def optimized_variables(self):
        return {
            "optimizer": self.encoder.trainable_variables,
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }

    def train_step(self, batch):
        # 1. Source images through the frozen encoder, target images through the learning one.
        # 2. The discriminator learns to tell them apart.
        # 3. The target encoder learns to be taken for the source, against the discriminator as
        #    it was before this step: both updates come from one pass.
        batch = self.check_batch(batch)
        examples = unpack(batch)
        source = self._represent(self.source_encoder, examples.source_images, training=False)
        of_source, of_target = _known_labels(examples)
        with tf.GradientTape(persistent=True) as tape:
            seen, logits = self._represent(self.encoder, examples.target_images, training=True)
            answers = self.discriminator(tf.concat([source[0], seen], 0), training=True)
            count = tf.shape(source[0])[0]
            domain_loss = domain_crossentropy(answers[:count], answers[count:])
            mapping_loss = inverted_loss(answers[count:])
            label_loss = self._known_loss(of_target, logits, "target_labelled" in batch)
            loss = label_loss + self.adaptation_weight * mapping_loss + self.regularization()
            judged = domain_loss + self.regularization("discriminator_optimizer")
        self.minimize(judged, tape, "discriminator_optimizer")
        self.minimize(loss, tape)
        self.trackers["domain_accuracy"].update_state(
            domain_accuracy(answers[:count], answers[count:]), tf.shape(answers)[0]
        )
        labels, weights = of_source
        self.compute_metrics(None, labels, source[1], weights)
        return self.report(
            examples.known,
            loss=loss,
            label_loss=label_loss,
            domain_loss=domain_loss,
            mapping_loss=mapping_loss,
        )

    def _represent(self, encoder, images, training):
        """Return what the discriminator sees of images, and their logits."""
        features = encoder(images, training=training)
        logits = tf.cast(self.classifier(features, training=False), "float32")
        return (logits if self.discriminated == "logits" else features), logits

    def _known_loss(self, known, logits, given):
        labels, weights = known
        logits = logits[: tf.shape(labels)[0]]
        return self.compiled_loss(labels, logits, weights) if given else tf.constant(0.0)


def _known_labels(examples):
    """Return `(labels, weights or None)` of the source, then of the labelled target images."""
    count, weights = tf.shape(examples.source_images)[0], examples.sample_weight
    return [
        (examples.labels[part], None if weights is None else weights[part])
        for part in (slice(None, count), slice(count, None))
    ]


def inverted_loss(target_logits):
    """Cross-entropy of calling target examples the source's, which is 0 for the discriminator."""
    return tf.reduce_mean(tf.nn.softplus(tf.cast(target_logits, "float32")))


def copy_of(network):
    """Return a network of the same form and weights that shares nothing."""
    copy = keras.models.clone_model(network)
    copy_weights(network, copy)
    return copy
