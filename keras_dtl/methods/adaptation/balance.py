import math
import numbers

import keras
import tensorflow as tf

SMALLEST_LOSS = 1e-8


@keras.saving.register_keras_serializable("keras_dtl")
class Balance(keras.layers.Layer):
    """The weight that makes one loss as large as another, from running means of both.

    Sun & Saenko (2016) set the weight of their adaptation loss "so that at the end of training
    the classification loss and CORAL loss are roughly the same"; their released weights span
    four decades. This is that rule, followed at every step. Both means start at 0 and move
    alike, so their ratio is right from the first step on. No gradient flows through it.

    The weight never exceeds `largest`: an adaptation loss that the weight itself drives to 0, as
    CORAL's does when all activations shrink, would otherwise raise it without end, and the classes
    would never be learnt. The authors' weights lie below 1.

    While the label loss is still high, as large an adaptation loss may keep the classes from
    being learnt at all: raise `strength` from 0 to 1 over the training, with
    `ProgressSchedule({"balance.strength": reversal_ramp()})`.

    Args:
        strength: Initial value of the weight `strength`, the share of the reference that the
            weighted loss shall have.
        momentum: Share of the old mean that a step keeps.
        largest: Upper bound of the weight.

    Call arguments:
        reference: Scalar loss to be as large as.
        loss: Scalar loss that is weighted; its size counts, not its sign.

    Returns:
        Scalar float32 tensor in 0..largest.
    """

    def __init__(self, strength=1.0, momentum=0.99, largest=1.0, **kwargs):
        # Two numbers: 16 bits would save nothing, and lose the sum of small steps.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.momentum = momentum
        self.largest = largest
        self.strength = self._number("strength", strength)
        self.reference_mean = self._number("reference_mean")
        self.loss_mean = self._number("loss_mean")
        self.built = True

    def _number(self, name, value=0.0):
        return self.add_weight(
            name=name,
            shape=(),
            initializer=keras.initializers.Constant(value),
            trainable=False,
            dtype="float32",
            aggregation="mean",
        )

    def call(self, reference, loss):
        for mean, value in ((self.reference_mean, reference), (self.loss_mean, tf.abs(loss))):
            value = tf.stop_gradient(tf.cast(value, "float32"))
            mean.assign(self.momentum * mean + (1 - self.momentum) * value)
        ratio = self.reference_mean / tf.maximum(self.loss_mean, SMALLEST_LOSS)
        return tf.stop_gradient(self.strength * tf.minimum(ratio, self.largest))

    def get_config(self):
        strength = float(keras.ops.convert_to_numpy(self.strength))
        own = {"strength": strength, "momentum": self.momentum, "largest": self.largest}
        return {**super().get_config(), **own}


def check_weight(weight, method):
    """Refuse a weight that is no number of 0 or more, nor an automatic one where that is none.

    Args:
        weight: `adaptation_weight`.
        method: Class of the method; adversarial ones have no automatic weight.

    Raises:
        ValueError: When it is such.
    """
    if weight == "auto" and not method.adversarial:
        return
    if not isinstance(weight, numbers.Real) or not 0 <= weight < math.inf:
        automatic = "" if method.adversarial else ' or "auto"'
        raise ValueError(
            f"`adaptation_weight` of {method.__name__} must be a number of 0 or more{automatic}. "
            f"Received: {weight!r}"
        )
