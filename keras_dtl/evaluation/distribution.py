"""How far a set of generated images is from a set of real ones: FID and KID."""

import numpy as np
from scipy import linalg

_SUBSETS = 50
_SUBSET_SIZE = 1000


def frechet_distance(features: np.ndarray, other: np.ndarray) -> float:
    """Return the Fréchet distance between two sets of features, each taken for one Gaussian.

    With the features of InceptionV3 this is the FID. It is biased upwards for few images: compare
    figures of equally large sets alone, and prefer `kernel_distance` below some thousands.

    Reference: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local
    Nash Equilibrium", NeurIPS 2017.

    Args:
        features, other: Arrays `(examples, features)` of two or more examples.

    Returns:
        A number of 0 or more.
    """
    features, other = _feature_sets(features, other)
    difference = features.mean(0) - other.mean(0)
    one, two = np.cov(features, rowvar=False), np.cov(other, rowvar=False)
    # The trace of the root of one @ two, from the root of a symmetric matrix: no complex numbers.
    root = _root(np.atleast_2d(one))
    values = np.linalg.eigvalsh(root @ np.atleast_2d(two) @ root)
    trace = np.sqrt(np.clip(values, 0, None)).sum()
    distance = difference @ difference + np.trace(np.atleast_2d(one + two)) - 2 * trace
    return float(max(distance, 0.0))


def _root(matrix):
    values, vectors = linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def kernel_distance(features: np.ndarray, other: np.ndarray, seed: int = 0) -> float:
    """Return the squared maximum mean discrepancy between two sets of features: the KID.

    With the kernel `(x . y / features + 1) ** 3` and without bias, whatever the number of images;
    it may fall below 0. Above 1000 examples it is the mean over 50 random subsets of 1000.

    Reference: Bińkowski et al., "Demystifying MMD GANs", ICLR 2018.

    Args:
        features, other: Arrays `(examples, features)` of two or more examples.
        seed: Choice of the subsets.
    """
    features, other = _feature_sets(features, other)
    if max(len(features), len(other)) <= _SUBSET_SIZE:
        return _unbiased_discrepancy(features, other)
    random = np.random.default_rng(seed)
    size = min(_SUBSET_SIZE, len(features), len(other))
    draw = lambda x: x[random.choice(len(x), size, replace=False)]  # noqa: E731
    return float(
        np.mean([_unbiased_discrepancy(draw(features), draw(other)) for _ in range(_SUBSETS)])
    )


def _unbiased_discrepancy(x, y):
    among_x, among_y = _kernel(x, x), _kernel(y, y)
    m, n = len(x), len(y)
    return float(
        (among_x.sum() - np.trace(among_x)) / (m * (m - 1))
        + (among_y.sum() - np.trace(among_y)) / (n * (n - 1))
        - 2 * _kernel(x, y).mean()
    )


def _kernel(x, y):
    base = x @ y.T / x.shape[1] + 1
    return base * base * base  # many times faster than a power


def _feature_sets(features, other):
    features, other = (np.asarray(x, "float64") for x in (features, other))
    if (
        features.ndim != 2
        or features.shape[1:] != other.shape[1:]
        or min(len(features), len(other)) < 2
    ):
        raise ValueError(
            "Two arrays (examples, features) of equally many features and two or more examples are "
            f"needed. Received: {features.shape} and {other.shape}."
        )
    return features, other
