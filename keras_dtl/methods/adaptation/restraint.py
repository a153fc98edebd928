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
        self.built = True

    @property
    def guessing(self):
        return math.log(self.classes)

    @property
    def share(self):
        """The share of the labels that has been learnt so far, a scalar in 0..1."""
        share = 1.0 - tf.convert_to_tensor(self.mean_loss) / self.guessing
        return tf.stop_gradient(tf.clip_by_value(share, 0.0, 1.0))

    def call(self, label_loss):
        loss = tf.stop_gradient(tf.cast(label_loss, "float32"))
        # One wild step shall not silence the adversary for long.
        loss = tf.minimum(loss, 2.0 * self.guessing)
        self.mean_loss.assign(self.momentum * self.mean_loss + (1.0 - self.momentum) * loss)
        return self.share

    def get_config(self):
        return {**super().get_config(), "classes": self.classes, "momentum": self.momentum}
