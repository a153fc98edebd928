"""Features of many dimensions laid out in the plane."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

MIN_POINTS = 5
# Distances hardly change beyond this many principal components, and t-SNE gets much faster.
MAX_COMPONENTS = 50


def choose_indices(total: int, count: int, seed: int = 0) -> np.ndarray:
    """Choose at most `count` of `total` samples, the same ones for the same seed.

    Args:
        total: Number of samples there are.
        count: Number of samples wanted; all are taken when there are fewer.
        seed: Seed of the choice.

    Returns:
        Different indices in rising order, int64 of shape `(min(total, count),)`.
    """
    if count < 1:
        raise ValueError(f"At least one sample must be chosen, got count={count}.")
    if total <= count:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, count, replace=False))


def tsne(
    features: np.ndarray, seed: int = 0, perplexity: float = 30.0, steps: int = 500
) -> np.ndarray:
    """Lay features out in the plane by t-SNE, near ones near each other.

    Time grows with the number of points (about 3 seconds for 1,200 on one core), so pass a
    choice of them, see `choose_indices`. Features that are all alike have no layout: every point
    is then put at the origin, which is what a collapsed encoder should look like.

    Reference: van der Maaten & Hinton, 2008, "Visualizing Data using t-SNE".

    Args:
        features: One row a sample, `(samples, ...)`; further axes are flattened.
        seed: Seed of the layout; it starts from the principal components.
        perplexity: About how many neighbours a point keeps near; lowered to a third of the
            number of points where there are few.
        steps: Steps of gradient descent, at least 250.

    Returns:
        Coordinates without unit, float32 of shape `(samples, 2)`.

    Raises:
        ValueError: For fewer than 5 samples, or features that are not finite.
    """
    features = _matrix(features)
    if np.ptp(features, axis=0).max() == 0:
        return np.zeros((len(features), 2), np.float32)
    method = TSNE(
        perplexity=min(perplexity, (len(features) - 1) / 3),
        init="pca",
        learning_rate="auto",
        max_iter=steps,
        random_state=seed,
    )
    # More threads gain little at this size, and lose tenfold where another process runs too.
    with threadpool_limits(1):
        return method.fit_transform(_principal_components(features, seed))


def _matrix(features):
    features = np.asarray(features, np.float32)
    if features.ndim < 2 or len(features) < MIN_POINTS or not features[0].size:
        raise ValueError(
            f"t-SNE needs at least {MIN_POINTS} samples with a feature or more, "
            f"shape (samples, features), got shape {features.shape}."
        )
    features = features.reshape(len(features), -1)  # (samples, features)
    broken = ~np.isfinite(features).all(axis=1)
    if broken.any():
        raise ValueError(
            f"{broken.sum()} of {len(features)} rows of features are not finite, the first is row "
            f"{broken.argmax()}. Did training diverge? Look at its loss, lower the learning rate."
        )
    return features


def _principal_components(features, seed):
    """Rotate onto at most `MAX_COMPONENTS` axes, in units of the largest spread."""
    # In float64 and relative units: tiny features would vanish in t-SNE's float32 squares.
    features = (features - features.mean(axis=0)).astype(np.float64)
    features /= np.abs(features).max()
    count = min(MAX_COMPONENTS, *features.shape)
    components = PCA(count, svd_solver="full", random_state=seed).fit_transform(features)
    if count == 1:  # the starting layout needs two
        components = np.pad(components, ((0, 0), (0, 1)))
    return components.astype(np.float32)
