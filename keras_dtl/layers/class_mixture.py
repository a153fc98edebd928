import keras
import numpy as np
from keras import ops

_NEVER = 1e9
"""A threshold that no draw of a normal distribution reaches."""
_FEW = 8
"""Codes that a Gaussian is fitted to, at least."""


@keras.saving.register_keras_serializable("keras_dtl")
class ClassMixture(keras.layers.Layer):
    """Take noise to codes: to a mixture of Gaussians for each class, as it was fitted by `adapt`.

        y = m_k + L_k x,  m_k the mean of component k of the class and L_k L_k^T its covariance

    One more number of the noise chooses the component, by thresholds between which a draw of
    N(0, 1) falls as often as the component is heavy. So all noise is drawn from N(0, 1). Before
    `adapt` codes are the noise itself.

    Reference: Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, who fit
    a mixture of ten Gaussians to the codes after the training.

    Args:
        classes: How many; 0 for one mixture of all codes.
        components: Gaussians of a mixture, 1 or more; fewer where there are few codes.

    Call arguments:
        inputs: Tensor `(..., 1 + numbers + classes)`: the number that chooses, noise, and the
            class as one-hot numbers.

    Output shape: `(..., numbers + classes)`: codes, and the class as it was.
    """

    def __init__(self, classes=0, components=10, **kwargs):
        super().__init__(**kwargs)
        if components < 1:
            raise ValueError(f"`components` must be 1 or more. Received: {components}")
        self.classes = classes
        self.components = components

    def build(self, input_shape):
        numbers, rows = input_shape[-1] - 1 - self.classes, max(1, self.classes)
        fixed = {"trainable": False, "dtype": "float32", "autocast": False}
        each = (rows * self.components, numbers)
        self.mean = self.add_weight(name="mean", shape=each, initializer="zeros", **fixed)
        self.factor = self.add_weight(
            name="factor",
            shape=(*each, numbers),
            initializer=lambda shape, dtype: ops.tile(
                ops.eye(numbers, dtype=dtype), (each[0], 1, 1)
            ),
            **fixed,
        )
        self.thresholds = self.add_weight(
            name="thresholds",
            shape=(rows, self.components - 1),
            initializer=keras.initializers.Constant(_NEVER),
            **fixed,
        )
        self.built = True

    def adapt(self, codes, labels=None):
        """Fit the mixtures; a class of fewer than two codes takes that of all.

        Args:
            codes: `(examples, numbers)`.
            labels: Integers `(examples,)` in 0..`classes - 1`, where there are classes.
        """
        codes = np.asarray(codes, "float64")
        labels = np.zeros(len(codes), int) if labels is None else np.asarray(labels)
        fitted = []
        for row in range(max(1, self.classes)):
            own = codes[labels == row]
            fitted.append(self._fit(own if len(own) > 1 else codes))
        means, factors, thresholds = zip(*fitted, strict=True)
        self.mean.assign(np.concatenate(means))
        self.factor.assign(np.concatenate(factors))
        self.thresholds.assign(np.stack(thresholds))

    def _fit(self, codes):
        """Return means, square roots of covariances and thresholds, of all components."""
        from scipy.stats import norm
        from sklearn.mixture import GaussianMixture

        count = max(1, min(self.components, len(codes) // _FEW))
        added = 1e-6 * codes.var(0).mean() + 1e-12  # to directions that do not vary
        mixture = GaussianMixture(count, reg_covar=added, random_state=0).fit(codes)
        values, vectors = np.linalg.eigh(mixture.covariances_)
        factors = vectors * np.sqrt(np.maximum(values, 0))[:, None]
        heavier = np.clip(mixture.weights_.cumsum()[:-1], 0, 1)
        missing = self.components - count
        return (
            np.concatenate([mixture.means_, np.zeros((missing, codes.shape[1]))]),
            np.concatenate([factors, np.zeros((missing, *factors.shape[1:]))]),
            np.clip(np.append(norm.ppf(heavier), [_NEVER] * missing), -_NEVER, _NEVER),
        )

    def call(self, inputs):
        inputs = ops.cast(inputs, "float32")
        choice, noise = inputs[..., :1], inputs[..., 1 : inputs.shape[-1] - self.classes]
        told = inputs[..., inputs.shape[-1] - self.classes :]
        row = ops.cast(ops.zeros_like(choice[..., 0]), "int32")
        if self.classes:
            # Not argmax, for which LiteRT lacks an operator.
            own = ops.sum(told * np.arange(self.classes, dtype="float32"), axis=-1)
            row = ops.cast(ops.clip(own, 0, self.classes - 1), "int32")
        thresholds = ops.take(self.thresholds, row, axis=0)
        which = ops.sum(ops.cast(choice > thresholds, "int32"), axis=-1)
        which += row * self.components
        factor, mean = ops.take(self.factor, which, axis=0), ops.take(self.mean, which, axis=0)
        codes = ops.sum(factor * noise[..., None, :], axis=-1) + mean
        return ops.cast(ops.concatenate([codes, told], axis=-1), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] - 1)

    def get_config(self):
        return {
            **super().get_config(),
            "classes": self.classes,
            "components": self.components,
        }
