"""Minimising a loss over the pixels of one image: L-BFGS, or any optimizer of Keras."""

import math
from typing import NamedTuple

import keras
import numpy as np
from scipy.optimize import minimize


class Evaluation(NamedTuple):
    """A loss at an image."""

    loss: float
    terms: dict
    """The weighted terms that add up to it, by name."""
    gradient: np.ndarray
    """Its gradient, in the shape of the image."""


class Step(NamedTuple):
    """What a callback is told after each iteration."""

    iteration: int
    """How many iterations are done at this size of the image, from 1."""
    iterations: int
    """How many there are at this size."""
    evaluations: int
    """How often the loss was evaluated so far at this size."""
    loss: float
    terms: dict
    image: np.ndarray
    """The image as float32 `(1, height, width, 3)`, not limited to 0..255."""


class Diverged(FloatingPointError):
    """The loss is no longer a number."""


class LBFGS:
    """L-BFGS-B of SciPy without bounds: each iteration it accepts lowers the loss.

    Args:
        history: How many past steps shape the next one.
    """

    UNIT = 4.0
    """Grey levels, root mean square, of the first step that is tried."""

    def __init__(self, history=10):
        self.history = history

    def minimize(self, evaluate, image, iterations, report):
        """Return the image after some iterations, or fewer where no step lowers the loss further.

        Args:
            evaluate: Function from a float32 image to an `Evaluation`.
            image: float32 array `(1, height, width, 3)` to start from.
            iterations: How many iterations at most.
            report: Called with the `Evaluation`, the image and the number of evaluations after
                each iteration.
        """
        # SciPy's first step has length 1 whatever the number of pixels; afterwards all is the
        # same in any unit.
        unit = self.UNIT * math.sqrt(image.size)
        evaluations = []  # the last one, and how many there were

        def value_and_gradient(point):
            pixels = (point * unit).reshape(image.shape).astype("float32")
            found = check_finite(evaluate(pixels))
            evaluations[:] = [found, pixels, evaluations[2] + 1 if evaluations else 1]
            return found.loss, found.gradient.ravel().astype("float64") * unit

        result = minimize(
            value_and_gradient,
            image.ravel().astype("float64") / unit,
            jac=True,
            method="L-BFGS-B",
            # The line search ends on the point that it accepts.
            callback=lambda point: report(*evaluations),
            options={
                "maxiter": iterations,
                "maxfun": 20 * iterations,
                "maxcor": self.history,
                "ftol": 0,
                "gtol": 0,
            },
        )
        return (result.x * unit).reshape(image.shape).astype("float32")


class GradientDescent:
    """An optimizer of Keras on the pixels, such as Adam.

    Args:
        optimizer: A Keras optimizer; each image gets a fresh one like it.
    """

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def minimize(self, evaluate, image, iterations, report):
        """Return the image after some iterations; see `LBFGS.minimize`."""
        pixels = keras.Variable(image, dtype="float32")
        optimizer = type(self.optimizer).from_config(self.optimizer.get_config())
        optimizer.build([pixels])
        for iteration in range(iterations):
            before = keras.ops.convert_to_numpy(pixels)
            found = check_finite(evaluate(before))
            report(found, before, iteration + 1)
            optimizer.apply([keras.ops.convert_to_tensor(found.gradient)], [pixels])
        optimizer.finalize_variable_values([pixels])  # the average, where it keeps one
        return keras.ops.convert_to_numpy(pixels)


def pixel_optimizer(optimizer):
    """Return what minimises over pixels, by the name or the Keras optimizer given.

    Args:
        optimizer: `"lbfgs"`, `"adam"` (steps of 2 grey levels), an `LBFGS`, or a Keras optimizer.

    Raises:
        ValueError: When it is none of these.
    """
    if isinstance(optimizer, LBFGS):
        return optimizer
    if isinstance(optimizer, keras.optimizers.Optimizer):
        return GradientDescent(optimizer)
    if optimizer == "lbfgs":
        return LBFGS()
    if optimizer == "adam":
        return GradientDescent(keras.optimizers.Adam(2.0))
    raise ValueError(
        "`optimizer` must be 'lbfgs', 'adam', LBFGS(history=...) or a Keras optimizer. "
        f"Received: {optimizer!r}"
    )


def optimizer_settings(optimizer):
    """Return all that tells one optimizer of pixels from another, ready for JSON.

    Args:
        optimizer: See `pixel_optimizer`.
    """
    if isinstance(optimizer, LBFGS):
        return {"lbfgs": optimizer.history}
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        return optimizer
    settings = keras.optimizers.serialize(optimizer)
    settings["config"].pop("name")  # numbered anew in each process
    return settings


def check_finite(evaluation):
    if math.isfinite(evaluation.loss) and np.isfinite(evaluation.gradient).all():
        return evaluation
    raise Diverged(
        f"The loss became {evaluation.loss}, its terms {evaluation.terms}. Lower the weights, or "
        "the learning rate, and check the weights of the feature network."
    )
