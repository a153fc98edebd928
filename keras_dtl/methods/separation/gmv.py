import keras
import tensorflow as tf

from keras_dtl.losses import mutual_information
from keras_dtl.methods.given_batches import as_batch
from keras_dtl.methods.networks import in_float32, require_logits
from keras_dtl.methods.separation.separation import Separation, call_frozen, code_sizes, pixels
from keras_dtl.methods.signed_images import (
    from_signed,
    require_signed_input,
    require_signed_output,
    to_signed,
)

REMEMBERED = 0.98
"""What a batch leaves of the mean answers of those before, in the term of coverage."""


class MultiView(Separation):
    """What generative multi-view models share: one generator from a content and a view.

    Args:
        generator: Network from `[content, view]` to images in -1..1.
        discriminator: Network from `[image, image]` to logits.
        **kwargs: Of `Separation`: the game, and how the discriminator is restrained.
    """

    taught = ("generator",)
    """Networks that learn against the discriminator, by attribute name; some may be None."""

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(discriminator, **kwargs)
        require_signed_output(generator, "generator")
        self.generator = generator
        self.content_numbers, self.view_numbers = code_sizes(generator)

    @property
    def learning(self):
        return (*self.taught, "discriminator")

    def optimized_variables(self):
        networks = [getattr(self, name) for name in self.taught]
        return {
            "optimizer": [v for n in networks if n is not None for v in n.trainable_variables],
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }

    def scale_examples(self, examples):
        """Return examples of the data as networks see them."""
        return to_signed(examples)

    def unscale_generated(self, generated):
        """Return what the generator makes, symbolic, as it is deployed."""
        return pixels(generated)

    def drawn_views(self, like):
        """Return two views for each example of a tensor, from the standard Gaussian."""
        return [self.noise(like, self.view_numbers) for _ in range(2)]

    def two_views(self, content, views):
        """Return an image of each content in each of two views."""
        codes = [tf.concat([content, content], 0), tf.concat(views, 0)]
        return tf.split(in_float32(self.generator(codes, training=True)), 2)

    # Deployment ----------------------------------------------------------------------------

    def parts(self):
        """Return the generator as it is deployed: codes to uint8 images."""
        codes = [keras.Input((n,), name=k) for n, k in self._codes()]
        generated = self.unscale_generated(self.generator(codes, training=False))
        return {"generator": keras.Model(codes, generated, name="generator")}

    def _codes(self):
        return (self.content_numbers, "content"), (self.view_numbers, "view")


@keras.saving.register_keras_serializable("keras_dtl")
class GMV(MultiView):
    """Generative multi-view model: pairs of images of one thing in two views.

    One generator makes two images of a content `c` with different views `v1` and `v2`, all drawn
    from the standard Gaussian. The discriminator tells pairs of real images of one object from
    pairs `(G(c, v1), G(c, v2))`: to deceive it, `c` alone must say what both images share. No
    label of a view is used.

    Reference: Chen, Denoyer & Artieres, "Multi-View Data Generation Without View Supervision",
    ICLR 2018.

    Differs from the authors' code: real pairs never hold one image twice, and both pairs come in
    random order.

    Extension, not in the paper: a `classifier` C learns from real pairs to name the object, and
    judges the generator, which maximises

        agreement_weight * mutual information of C(G(c, v1)) and C(G(c, v2))
        + coverage_weight * cross-entropy of the mean answer and the latest batches' mean answer

    The first, see `keras_dtl.losses`, asks that both views surely show one object, and contents
    many objects; the discriminator, busy with what is real, is slow to ask for either. A batch has
    too few contents to tell which objects are drawn too often: that the second knows.

    Where objects are alike, the generator finds what makes one classifier sure and no other; a
    network of several outputs counts as several classifiers, which are harder to please (Durugkar,
    Gemp & Mahadevan, "Generative Multi-Adversarial Networks", ICLR 2017). Classifiers that know
    all real pairs by heart learn no more and are pleased easily, too: smoothed labels keep them
    judging (Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR
    2016). One view in all images would please them all; against it the generator minimises, by the
    mean difference d of both images of a pair,

        view_weight * max(0, 1 - d of generated pairs / d of real pairs)

    as Mao et al., "Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis", CVPR
    2019, do without the bound.

    Batches are `{"first", "second"}`, two images of one object each, and with the extension
    `"label"`, integers that name the object.

    Under `tf.distribute` the extension's information and differences are those within each
    replica's part of the batch; without it replicas learn what one does.

    Args:
        generator: Network from `[content, view]` to images in -1..1. Where there are few objects,
            begin it with `keras_dtl.layers.MixtureCode`, as `latent_decoder` does on demand.
        discriminator: Network from `[image, image]` to logits.
        classifier: Network from images to logits of the objects, one output or several, or None
            as published.
        agreement_weight, coverage_weight, view_weight: Of the extension.
        label_smoothing: Share of a label that is spread over all objects as the classifier
            learns, from 0 to below 1.
        **kwargs: Of `Separation`: the game, and how the discriminator is restrained.

    Call arguments:
        inputs: `[content, view]`, float arrays.
    """

    task = "image_generation"
    tracked = (
        "adversarial",
        "classification",
        "shared_information",
        "coverage",
        "missing_views",
        "discriminator_loss",
        "discriminator_accuracy",
    )

    taught = ("generator", "classifier")

    def __init__(
        self,
        generator,
        discriminator,
        classifier=None,
        agreement_weight=1.0,
        coverage_weight=0.0,
        view_weight=1.0,
        label_smoothing=0.0,
        **kwargs,
    ):
        super().__init__(generator, discriminator, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` must be from 0 to below 1. Received: {label_smoothing}"
            )
        self.classifier = classifier
        self.agreement_weight = agreement_weight
        self.coverage_weight = coverage_weight
        self.view_weight = view_weight
        self.label_smoothing = label_smoothing
        if classifier is None:
            self.leave_out("classification", "shared_information", "coverage", "missing_views")
        else:
            require_logits(classifier, "classifier")
            require_signed_input(classifier, "classifier")
            self.latest_answers = self._mean_answers(classifier)

    @classmethod
    def _argument_names(cls):
        weights = ["agreement_weight", "coverage_weight", "view_weight"]
        return [*super()._argument_names(), "classifier", *weights, "label_smoothing"]

    def _mean_answers(self, classifier):
        outputs = tf.nest.flatten(classifier.outputs)
        objects = outputs[0].shape[-1]
        return self.add_weight(
            name="latest_answers",
            shape=(len(outputs), objects),
            initializer=keras.initializers.Constant(1 / objects),
            trainable=False,
            dtype="float32",
            aggregation="mean",
        )

    @property
    def label_classes(self):
        return None if self.classifier is None else self.latest_answers.shape[-1]

    @property
    def needs(self):
        return ("first", "second") if self.classifier is None else ("first", "second", "label")

    def call(self, inputs, training=False):
        return self.generator(inputs, training=training)

    def train_step(self, data):
        # 1. The generator draws two views of one content that shall pass for a real pair; with a
        #    classifier, which learns from real pairs, both shall show it one object, each object
        #    in its turn, and differ.
        # 2. The discriminator learns from them and from real pairs.
        data = as_batch(data)
        pair = [self.scale_examples(data["first"]), self.scale_examples(data["second"])]
        with tf.GradientTape() as tape:
            content = self.noise(pair[0], self.content_numbers)
            generated = self.in_random_order(*self.two_views(content, self.drawn_views(content)))
            terms = {"adversarial": self.adversarial_term(generated)}
            loss = terms["adversarial"]
            if self.classifier is not None:
                answers = tf.nest.flatten(call_frozen(self.classifier, tf.concat(generated, 0)))
                terms["classification"] = self.classification(pair, data["label"])
                terms["shared_information"] = shared_information(answers)
                terms["coverage"] = self.coverage(answers)
                terms["missing_views"] = missing_views(pair, generated)
                loss += terms["classification"] + self.view_weight * terms["missing_views"]
                loss -= self.agreement_weight * terms["shared_information"]
                loss -= self.coverage_weight * terms["coverage"]
            loss += self.regularization()
        self.minimize(loss, tape)
        judged, accuracy = self.discriminator_step(self.in_random_order(*pair), generated)
        terms |= {"loss": loss, "discriminator_loss": judged, "discriminator_accuracy": accuracy}
        return self.report(tf.shape(pair[0])[0], **terms)

    def classification(self, pair, labels):
        """Return the mean cross-entropy with which classifiers name the objects of real pairs."""
        labels = tf.cast(tf.concat([labels, labels], 0), "int32")
        read = self.classifier(tf.concat(pair, 0), training=True)
        answers = in_float32(tf.nest.flatten(read))
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits  # it refuses unknown labels
        named = tf.reduce_mean([entropy(labels, logits) for logits in answers])
        spread = -tf.reduce_mean([tf.nn.log_softmax(logits) for logits in answers])
        return (1 - self.label_smoothing) * named + self.label_smoothing * spread

    def coverage(self, answers):
        """Return how rare, of late, the objects are that a list of logits names, in nats.

        That is the entropy of the objects drawn, where they are drawn as often as before.
        """
        mean = tf.stack([tf.reduce_mean(tf.nn.softmax(tf.cast(a, "float32")), 0) for a in answers])
        latest = self.latest_answers
        latest.assign(REMEMBERED * latest + (1 - REMEMBERED) * tf.stop_gradient(mean))
        return -tf.reduce_mean(tf.reduce_sum(mean * tf.math.log(latest + 1e-7), 1))

    # Deployment ----------------------------------------------------------------------------

    def deployable(self):
        return self.parts()["generator"]

    def answers(self, predictions, inputs):
        return from_signed(predictions)


def shared_information(answers):
    """Return what two views tell of each other, in nats, by the mean of several classifiers.

    Args:
        answers: List of logits `(2 * batch, objects)`: of all first views, then of all second.
    """
    return tf.reduce_mean([mutual_information(*tf.split(logits, 2)) for logits in answers])


def missing_views(real, generated):
    """Return the share by which two generated views differ less than two real ones, 0 or more."""
    of_real, of_generated = (tf.reduce_mean(tf.abs(a - b)) for a, b in (real, generated))
    return tf.nn.relu(1 - tf.math.divide_no_nan(of_generated, of_real))
