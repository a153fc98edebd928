"""Motion as it is measured, and as networks see it: each feature with mean 0 and deviation 1."""

import keras
import numpy as np
import tensorflow as tf

from keras_dtl.layers import PlantFeet
from keras_dtl.motion.skeleton import ROOT_FEATURES


class MeasuredMotion:
    """What the methods of motion share: mean and deviation of each feature in training."""

    legs = None

    def keep_statistics(self, mean, deviation, **networks):
        """Keep mean and deviation as lists of numbers.

        Args:
            mean, deviation: One number for each feature.
            **networks: How many features each network takes or gives, by its name.

        Raises:
            ValueError: When there are not as many, or a deviation is not above 0.
        """
        self.mean = [float(value) for value in mean]
        self.deviation = [float(value) for value in deviation]
        numbers = {len(self.mean), len(self.deviation), *networks.values()}
        are_finite = np.isfinite([*self.mean, *self.deviation]).all()
        if len(numbers) > 1 or not are_finite or min(self.deviation) <= 0:
            features = " and ".join(f"{count} of `{name}`" for name, count in networks.items())
            raise ValueError(
                "`mean` and `deviation` (finite, above 0) need one number for each feature of the "
                f"networks. Received: {len(self.mean)} and {len(self.deviation)}, the least "
                f"deviation {min(self.deviation)}, for the features {features}"
            )

    def normalize(self, motion):
        """Return measured motion `(batch, time, features)` as networks see it."""
        return (tf.cast(motion, "float32") - self.mean) / self.deviation

    def measure(self, motion):
        """Return what a network gives as motion that is measured."""
        return motion * self.deviation + self.mean

    def normalization_layer(self):
        """Return the layer that does what `normalize` does."""
        # Not Normalization, which tf2onnx cannot convert.
        offset = [-m / d for m, d in zip(self.mean, self.deviation, strict=True)]
        return keras.layers.Rescaling([1.0 / d for d in self.deviation], offset, name="normalized")

    def measuring_layer(self, name):
        """Return the layer of that name that does what `measure` does."""
        return keras.layers.Rescaling(self.deviation, self.mean, name=name)

    def planted(self, motion, name):
        """Return an output of that name: motion as it is measured, feet held where legs are known.

        Args:
            motion: What a network gives, a Keras tensor.
            name: Of the output.
        """
        if self.legs is None:
            return self.measuring_layer(name)(motion)
        return PlantFeet(self.legs, name=name)(self.measuring_layer("measured")(motion))


def kept_legs(legs, num_features):
    """Return `Skeleton.legs` as lists of numbers, or None where there are none.

    Args:
        legs: `(bones, feet)`, or None.
        num_features: Of a frame.

    Raises:
        ValueError: When there is not a row for each bone.
    """
    if legs is None:
        return None
    if 3 * len(legs) + ROOT_FEATURES != num_features:
        raise ValueError(
            f"`legs` needs a row for each bone, {(num_features - ROOT_FEATURES) // 3} for "
            f"{num_features} features. Received: {len(legs)}"
        )
    return [[float(length) for length in row] for row in legs]
