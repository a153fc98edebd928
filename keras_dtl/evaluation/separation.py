"""Whether two codes are kept apart, and whether both are used."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PROBES = {
    "linear": lambda seed: LogisticRegression(max_iter=1000),
    "mlp": lambda seed: MLPClassifier(
        (256, 256), batch_size="auto", max_iter=50, early_stopping=True, random_state=seed
    ),
}


def probe_accuracy(train: tuple, test: tuple, kind: str = "linear", seed: int = 0) -> float:
    """Return how well a classifier of codes does that was not there when they were learnt.

    Args:
        train, test: `(codes, labels)`, arrays `(examples, numbers)` and `(examples,)`.
        kind: `"linear"`, or `"mlp"`: two hidden layers of 256.
        seed: Of the probe.

    Returns:
        Accuracy on `test`, in 0..1.
    """
    if kind not in PROBES:
        raise ValueError(f"`kind` must be one of {sorted(PROBES)}. Received: {kind!r}")
    probe = make_pipeline(StandardScaler(), PROBES[kind](seed))
    with warnings.catch_warnings():
        # The number of passes is part of the probe's definition.
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit(*train)
    return float(probe.score(*test))


def retrieval_precision(codes: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of examples whose nearest neighbour by code has their label, in 0..1.

    Args:
        codes: `(examples, numbers)`, two examples or more.
        labels: `(examples,)`.
    """
    nearest = NearestNeighbors(n_neighbors=2).fit(codes).kneighbors(codes)[1]
    own = np.arange(len(codes))
    # Where two codes are equal, an example is not always its own nearest.
    other = np.where(nearest[:, 0] == own, nearest[:, 1], nearest[:, 0])
    return float(np.mean(labels[other] == labels))


def slant(images: np.ndarray) -> np.ndarray:
    """Return the slant of bright strokes on black: horizontal shift for each row down.

    Args:
        images: uint8 `(examples, height, width, 1)`.

    Returns:
        `(examples,)`; 0 where an image is black.
    """
    ink = images[..., 0].astype("float64")
    rows, columns = np.mgrid[: ink.shape[1], : ink.shape[2]]
    total = np.maximum(ink.sum((1, 2)), 1e-9)

    def mean(values):
        return (ink * values).sum((1, 2)) / total

    covariance = mean(rows * columns) - mean(rows) * mean(columns)
    variance = mean(rows**2) - mean(rows) ** 2
    return covariance / np.maximum(variance, 1e-9)


def stroke_thickness(images: np.ndarray) -> np.ndarray:
    """Return twice the area of bright strokes over their outline's length, in pixels.

    Args:
        images: uint8 `(examples, height, width, 1)`.
    """
    ink = np.pad(images[..., 0].astype("float64") / 255, ((0, 0), (1, 1), (1, 1)))
    outline = np.abs(np.diff(ink, axis=1)).sum((1, 2)) + np.abs(np.diff(ink, axis=2)).sum((1, 2))
    return 2 * ink.sum((1, 2)) / np.maximum(outline, 1e-9)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation of two series, in -1..1; 0 where one of them does not vary.

    Args:
        first, second: `(examples,)`.
    """
    if np.std(first) < 1e-9 or np.std(second) < 1e-9:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def explained_variance(codes: np.ndarray, again: np.ndarray) -> float:
    """Return the share of the codes' variance that others explain: 1 where they are equal.

    Args:
        codes, again: `(examples, numbers)`.
    """
    residual = np.square(codes - again).sum()
    return float(1 - residual / np.square(codes - codes.mean(0)).sum())


def mean_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean Euclidean distance of the examples of two sets, pair by pair.

    Args:
        first, second: Features or images `(examples, ...)` of one shape.
    """
    difference = (first.astype("float64") - second.astype("float64")).reshape(len(first), -1)
    return float(np.sqrt(np.square(difference).sum(1)).mean())


def bootstrap_interval(values: np.ndarray, draws: int = 2000, seed: int = 0) -> list[float]:
    """Return the 95 % interval of a mean, by drawing the examples again.

    Args:
        values: One number an example, such as whether it was right.
        draws: How often the examples are drawn again.
        seed: Of the draws.
    """
    values = np.asarray(values, "float64")
    draw = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    return [float(x) for x in np.percentile(values[draw].mean(1), (2.5, 97.5))]
