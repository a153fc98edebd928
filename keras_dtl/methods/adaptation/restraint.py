import math

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_dtl")
class Restraint(keras.layers.Layer):
    """How much of the labels has been learnt, by which an adversary is held back.

    An encoder that hides the domain before it knows the classes may hide both: all features
    become alike, the label loss stays at that of guessing, and nothing leads back. This number
    is 0 while the label loss is that of guessing, or above, and 1 when it is 0:

        share = clip(1 - mean label loss / log(classes), 0, 1)

    Multiplied with the strength of a gradient reversal it lets labels come first and, should they
    ever be lost, come back. The mean runs over steps and starts at guessing. No gradient flows
    through it.

    Classes are lost on the target, too, whose labels nobody knows: the discriminator is deceived
    just as well when all target images look like one class of the source. So the share is
    multiplied by how diverse the target's answers are beside the source's, by the entropy H of
    their means over steps, which start at even shares:

        diversity = clip(2 * H(target) / H(source) - 1, 0, 1)

    Args:
        classes: Number of classes, 2 or more, whose guessing costs `log(classes)` nats.
        momentum: Share of the old mean that a step keeps.

    Call arguments:
        label_loss: Scalar loss of this step, whose mean the next call answers with too.

    Returns:
        Scalar float32 tensor in 0..1.
    """

    def __init__(self, classes, momentum=0.95, **kwargs):
        # One number: 16 bits would save nothing, and lose the sum of small steps.
        super().__init__(**{"dtype": "float32", **kwargs})
        if classes < 2:
            raise ValueError(f"`classes` must be 2 or more. Received: {classes}")
        self.classes = classes
        self.momentum = momentum
        self.mean_loss = self.add_weight(
            name="mean_loss",
            shape=(),
            initializer=keras.initializers.Constant(self.guessing),
            trainable=False,
            dtype="float32",
            aggregation="mean",
        )
        self.mean_answers = self.add_weight(
            name="mean_answers",
            shape=(2, classes),
            initializer=keras.initializers.Constant(1.0 / classes),
            trainable=False,
            dtype="float32",
            aggregation="mean",
        )
        self.built = True

    @property
    def guessing(self):
        return math.log(self.classes)

    @property
    def share(self):
        """The share of the labels that has been learnt so far and is kept on the target, 0..1."""
        learnt = 1.0 - tf.convert_to_tensor(self.mean_loss) / self.guessing
        return tf.stop_gradient(tf.clip_by_value(learnt, 0.0, 1.0) * self.diversity)

    @property
    def diversity(self):
        """How diverse the answers to the target are beside those to the source, 0..1."""
        answers = tf.convert_to_tensor(self.mean_answers)
        source, target = tf.unstack(-tf.reduce_sum(tf.math.xlogy(answers, answers), -1))
        return tf.clip_by_value(tf.math.divide_no_nan(2.0 * target, source) - 1.0, 0.0, 1.0)

    def watch(self, source, target):
        """Move the mean answers by those of a step: logits `(..., classes)` of either domain."""
        self._move(self.mean_answers, tf.stack([_mean_answer(source), _mean_answer(target)]))

    def call(self, label_loss):
        loss = tf.stop_gradient(tf.cast(label_loss, "float32"))
        # One wild step shall not silence the adversary for long.
        loss = tf.minimum(loss, 2.0 * self.guessing)
        self._move(self.mean_loss, loss)
        return self.share

    def _move(self, mean, value):
        mean.assign(self.momentum * mean + (1.0 - self.momentum) * value)

    def get_config(self):
        return {**super().get_config(), "classes": self.classes, "momentum": self.momentum}


def _mean_answer(logits):
    answers = tf.nn.softmax(tf.stop_gradient(tf.cast(logits, "float32")))
    return tf.reduce_mean(answers, range(len(answers.shape) - 1))
