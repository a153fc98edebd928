import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class ClassGaussian(keras.layers.Layer):
    """Take noise to codes: to a Gaussian of each class, as it was fitted by `adapt`.

        y = m + L x,  m the mean of the class and L L^T its covariance

    Before `adapt` codes are the noise itself, N(0, I).

    Reference: Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, who fit
    the distribution of codes after the training.

    Args:
        classes: How many; 0 for one Gaussian of all codes.

    Call arguments:
        inputs: Tensor `(..., numbers + classes)`: noise, and the class as one-hot numbers.

    Output shape: as the input: codes, and the class as it was.
    """

    def __init__(self, classes=0, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape):
        numbers, rows = input_shape[-1] - self.classes, max(1, self.classes)
        fixed = {"trainable": False, "dtype": "float32"}
        self.mean = self.add_weight(
            name="mean", shape=(rows, numbers), initializer="zeros", **fixed
        )
        self.factor = self.add_weight(
            name="factor",
            shape=(rows, numbers, numbers),
            initializer=lambda shape, dtype: ops.tile(ops.eye(numbers, dtype=dtype), (rows, 1, 1)),
            **fixed,
        )
        self.built = True

    def adapt(self, codes, labels=None):
        """Fit the Gaussians; a class of fewer than two codes takes that of all.

        Args:
            codes: `(examples, numbers)`.
            labels: Integers `(examples,)` in 0..`classes - 1`, where there are classes.
        """
        from sklearn.covariance import LedoitWolf

        codes = np.asarray(codes, "float64")
        labels = np.zeros(len(codes), int) if labels is None else np.asarray(labels)
        means, factors = [], []
        for row in range(max(1, self.classes)):
            own = codes[labels == row]
            fitted = LedoitWolf().fit(own if len(own) > 1 else codes)
            means.append(fitted.location_)
            factors.append(_square_root(fitted.covariance_))
        self.mean.assign(np.stack(means))
        self.factor.assign(np.stack(factors))

    def call(self, inputs):
        numbers = inputs.shape[-1] - self.classes
        noise, told = inputs[..., :numbers], inputs[..., numbers:]
        if not self.classes:
            return ops.matmul(noise, ops.transpose(self.factor[0])) + self.mean[0]
        factor = ops.transpose(self.factor, (0, 2, 1))
        each = ops.matmul(noise[..., None, None, :], factor)[..., 0, :] + self.mean
        codes = ops.sum(each * told[..., None], axis=-2)
        return ops.concatenate([codes, told], axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}


def _square_root(covariance):
    """Return `L` of `L L^T`, also where some directions do not vary."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))
