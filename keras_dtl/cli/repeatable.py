"""A training step that gives the same weights, bit for bit, whenever it starts from the same ones.

Without that no training that was stopped goes on as if it had not been. Deterministic operations
are not enough: three things beside them depend on which of TensorFlow's threads comes first.
"""

import logging

import tensorflow as tf

logger = logging.getLogger("keras_dtl")


def repeat_steps() -> None:
    """Let TensorFlow compute every step of this process in one and the same order.

    - Edges that keep reads of weights before their updates are dropped by the optimiser of
      dependencies: a network that is also called with its weights held fixed (SwapVAE, GMV) saw
      old or new ones by chance.
    - AddN adds into whichever of its inputs nobody else holds any more when it begins, and takes
      that one first: three gradients and more are summed in an order of chance. They are added
      one after the other instead, and the optimiser of arithmetic, which would make AddN of that
      again, is switched off. A DANN step of a LeNet takes as long on a CPU.
    """
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options(
        {"dependency_optimization": False, "arithmetic_optimization": False}
    )
    try:
        gradients_in_order()
    except (ImportError, AttributeError) as error:
        logger.warning(
            "This TensorFlow sums gradients in an order of chance, and its steps may differ in "
            "their last bits: %s",
            error,
        )


def gradients_in_order() -> None:
    """Let every tape of this process add gradients one after the other, never by AddN.

    Raises:
        ImportError, AttributeError: This TensorFlow sums them elsewhere.
    """
    from tensorflow.python import pywrap_tfe
    from tensorflow.python.eager import backprop

    space = backprop._default_vspace
    total = space.aggregate_fn

    def aggregate(gradients):
        if not all(isinstance(gradient, tf.Tensor) for gradient in gradients):
            return total(gradients)  # rows of a table
        first, *others = gradients
        for gradient in others:
            first = tf.add(first, gradient)
        return first

    pywrap_tfe.TFE_Py_RegisterVSpace(space._replace(aggregate_fn=aggregate))
