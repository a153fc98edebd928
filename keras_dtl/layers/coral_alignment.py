import math

import keras
import numpy as np
from keras import ops


def coral_matrix(source, target, regularization=1.0):
    """The matrix that gives source features the target's covariance: whiten, then re-colour.

        A = (C_source + r I)^(-1/2) (C_target + r I)^(1/2)

    The classic CORAL in closed form, computed in float64.

    Reference: Sun, Feng & Saenko, "Return of Frustratingly Easy Domain Adaptation", AAAI 2016.

    Args:
        source: Array `(examples, d)`.
        target: Array `(examples, d)`, not necessarily as many.
        regularization: Added to every variance; 1 in the paper, on features of variance 1.

    Returns:
        float64 array `(d, d)`; aligned features are `source @ A`.

    Raises:
        ValueError: When features differ, are not finite, are those of a single example, or vary
            too little for a regularisation of 0.
    """
    roots = []
    source, target = (
        _check_features(x, name) for x, name in ((source, "source"), (target, "target"))
    )
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"Source and target must have the same features. Received: {source.shape[1]} and "
            f"{target.shape[1]} columns."
        )
    for features, power in ((source, -0.5), (target, 0.5)):
        covariance = np.atleast_2d(np.cov(features, rowvar=False))
        variances, axes = np.linalg.eigh(covariance)
        variances = np.maximum(variances, 0) + regularization
        if power < 0 and variances.min() <= 1e-12 * variances.max():
            raise ValueError(
                "The source's features do not vary in every direction, so they cannot be whitened "
                f"with regularization={regularization}. Raise it; the paper takes 1."
            )
        roots.append((axes * variances**power) @ axes.T)
    return roots[0] @ roots[1]


@keras.saving.register_keras_serializable("keras_dtl")
class CORALAlignment(keras.layers.Layer):
    """Preprocessing layer that gives source features the target's covariance.

    Learns from two arrays of features in `adapt`, then maps source features into the target's
    space; a classifier trained on what it returns is used on target features as they are. On
    arrays alone, `coral_matrix` is the same in one line.

    Reference: Sun, Feng & Saenko, "Return of Frustratingly Easy Domain Adaptation", AAAI 2016.

    Args:
        regularization: Added to every variance; 1 in the paper, on features of variance 1.
        recentre: Whether the mean is moved to the target's as well. The paper's features have
            mean 0 in both domains, so there it makes no difference.

    Call arguments:
        features: Tensor `(batch, d)`.

    Output shape: that of the input.

    Example:

    ```python
    import numpy as np
    from keras_dtl.layers import CORALAlignment

    random = np.random.default_rng(0)
    source, target = random.normal(size=(50, 3)), 2 * random.normal(size=(50, 3))
    layer = CORALAlignment()
    layer.adapt(source, target)
    aligned = layer(source.astype("float32"))  # covaries as the target does
    ```
    """

    def __init__(self, regularization=1.0, recentre=False, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= regularization < math.inf:
            raise ValueError(f"`regularization` must be 0 or more. Received: {regularization}")
        self.regularization = regularization
        self.recentre = recentre

    def build(self, input_shape):
        features = input_shape[-1]
        self.matrix = self._constant("matrix", (features, features), "identity")
        self.source_mean = self._constant("source_mean", (features,), "zeros")
        self.target_mean = self._constant("target_mean", (features,), "zeros")

    def _constant(self, name, shape, initializer):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            trainable=False,
            dtype="float32",
            autocast=False,
        )

    def adapt(self, source, target):
        """Learn from source and target features, arrays `(examples, d)`.

        Raises:
            ValueError: See `coral_matrix`.
        """
        matrix = coral_matrix(source, target, self.regularization)
        if not self.built:
            self.build((None, len(matrix)))
            self.built = True
        self.matrix.assign(matrix)
        if self.recentre:
            self.source_mean.assign(np.mean(source, axis=0))
            self.target_mean.assign(np.mean(target, axis=0))

    def call(self, features):
        x = ops.cast(features, "float32") - self.source_mean
        return ops.cast(ops.matmul(x, self.matrix) + self.target_mean, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"regularization": self.regularization, "recentre": self.recentre}
        return {**super().get_config(), **own}


def _check_features(features, name):
    features = np.asarray(features, "float64")
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"The {name} features must be an array (examples, features) of at least 2 examples. "
            f"Received: shape {features.shape}."
        )
    if not np.isfinite(features).all():
        raise ValueError(
            f"{(~np.isfinite(features).all(axis=1)).sum()} of {len(features)} {name} rows are not "
            "finite. Remove them, or look for what made them."
        )
    return features
