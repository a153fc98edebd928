"""How good generated and transferred motion is: classifiers against their ceiling, and physics."""

import numpy as np

from keras_dtl.evaluation.distribution import frechet_distance
from keras_dtl.motion import Skeleton, forward_kinematics, positions_of, to_bvh


class MotionJudge:
    """A classifier of motion that is fitted on real clips once and stays as it is.

    It sees means, deviations and mean steps of every feature: linear, and blind to the order of
    what happens, but the same for real and generated motion. Of a single class it knows no other.

    Args:
        features: Real windows `(windows, frames, features)`.
        labels: Their classes.
    """

    def __init__(self, features: np.ndarray, labels: np.ndarray):
        from sklearn.dummy import DummyClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.num_classes = len(np.unique(labels))
        if self.num_classes == 1:  # no line lies between
            self.model = DummyClassifier().fit(summaries(features), labels)
            return
        self.model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
        self.model.fit(summaries(features), labels)

    def answers(self, features: np.ndarray) -> np.ndarray:
        """Return the class of each window, `(windows,)`.

        Args:
            features: `(windows, frames, features)`.
        """
        return self.model.predict(summaries(features))

    def accuracy(self, features: np.ndarray, labels: np.ndarray) -> float:
        """Return the share of windows that are of their class, in 0..1.

        Args:
            features: `(windows, frames, features)`.
            labels: What each should be, `(windows,)`.
        """
        return float(np.mean(self.answers(features) == labels))


def summaries(features: np.ndarray) -> np.ndarray:
    """Return mean, deviation and mean step of each feature, `(windows, 3 * features)`.

    Args:
        features: `(windows, frames, features)`.
    """
    features = np.asarray(features, "float64")
    steps = np.abs(np.diff(features, axis=1)).mean(1)
    return np.concatenate([features.mean(1), features.std(1), steps], 1)


def motion_frechet_distance(real: np.ndarray, generated: np.ndarray, components: int = 16) -> float:
    """Return the Fréchet distance of two sets of windows, over principal components of real ones.

    Args:
        real, generated: Features `(windows, frames, features)`.
        components: How many components, each scaled to variance 1 in the real windows; fewer where
            these are fewer.
    """
    from sklearn.decomposition import PCA

    components = min(components, len(real) - 1, 3 * real.shape[-1])
    projection = PCA(components, whiten=True, random_state=0).fit(summaries(real))
    return float(frechet_distance(*(projection.transform(summaries(x)) for x in (real, generated))))


def nearest_distances(features: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return for each window the root mean squared distance to the nearest of others, `(windows,)`.

    Args:
        features, others: `(windows, frames, features)`.
    """
    flat, others = (np.asarray(x, "float32").reshape(len(x), -1) for x in (features, others))
    squares = (flat**2).sum(1)[:, None] + (others**2).sum(1) - 2 * flat @ others.T
    return np.sqrt(np.maximum(squares.min(1), 0) / flat.shape[1])


def jerk(positions: np.ndarray, rate: float) -> float:
    """Return the mean size of the third derivative of joint positions, in units a second cubed.

    Args:
        positions: `(frames, joints, 3)`.
        rate: Frames a second.
    """
    return float(np.linalg.norm(np.diff(positions, 3, axis=0), axis=-1).mean() * rate**3)


def speed(positions: np.ndarray, rate: float) -> float:
    """Return the mean speed of joints, in units a second.

    Args:
        positions: `(frames, joints, 3)`.
        rate: Frames a second.
    """
    return float(np.linalg.norm(np.diff(positions, axis=0), axis=-1).mean() * rate)


def foot_skate(
    positions: np.ndarray, skeleton: Skeleton, rate: float, height: float = 0.05
) -> float:
    """Return how fast feet slide while they are down, in units a second.

    Args:
        positions: `(frames, joints, 3)`.
        skeleton: The `Skeleton`.
        rate: Frames a second.
        height: Above the lowest foot of the clip, in leg lengths: what counts as down.
    """
    feet = positions[:, list(skeleton.feet)]
    down = feet[1:, :, 1] < feet[..., 1].min() + height * skeleton.leg
    slides = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=-1) * rate
    return float(slides[down].mean()) if down.any() else 0.0


def bone_deviation(positions: np.ndarray, skeleton: Skeleton) -> float:
    """Return the largest deviation of a bone's length over time, as a share of its length.

    Args:
        positions: `(frames, joints, 3)`.
        skeleton: The `Skeleton`.
    """
    bones = positions[:, 1:] - positions[:, list(skeleton.parents[1:])]
    lengths = np.linalg.norm(bones, axis=-1)
    return float((np.ptp(lengths, axis=0) / lengths.mean(0)).max())


def stiffness_error(positions: np.ndarray, skeleton: Skeleton) -> float:
    """Return how far a body with stiff joints, as a BVH file holds it, is from positions.

    Mean distance of joints in leg lengths: what is lost where several bones meet.

    Args:
        positions: `(frames, joints, 3)`.
        skeleton: The `Skeleton`.
    """
    bvh = to_bvh(positions, skeleton, 1.0)
    order = [bvh.names.index(name) for name in skeleton.names]
    found = forward_kinematics(bvh)[0][:, order]
    return float(np.linalg.norm(found - positions, axis=-1).mean() / skeleton.leg)


def physics(windows: np.ndarray, skeleton: Skeleton, rate: float) -> dict:
    """Return speed, jerk, foot skate, bone deviation and, of some, the stiffness error of windows.

    Args:
        windows: Features `(windows, frames, features)`.
        skeleton: The `Skeleton`.
        rate: Frames a second.

    Returns:
        Means over windows, in the units of the functions of these names; of the bone deviation
        the largest.
    """
    clips = [positions_of(window, skeleton) for window in windows]
    return {
        "speed": float(np.mean([speed(clip, rate) for clip in clips])),
        "jerk": float(np.mean([jerk(clip, rate) for clip in clips])),
        "foot_skate": float(np.mean([foot_skate(clip, skeleton, rate) for clip in clips])),
        "bone_deviation": float(np.max([bone_deviation(clip, skeleton) for clip in clips])),
        "stiffness_error": float(
            np.mean([stiffness_error(clip, skeleton) for clip in clips[:: len(clips) // 20 + 1]])
        ),
    }


def speeds(windows: np.ndarray, skeleton: Skeleton, rate: float) -> np.ndarray:
    """Return the speed of the body in each frame of windows, mean over joints, `(windows, steps)`.

    Args:
        windows: Features `(windows, frames, features)`.
        skeleton: The `Skeleton`.
        rate: Frames a second; speeds are in units a second.
    """
    clips = np.stack([positions_of(window, skeleton) for window in windows])
    return np.linalg.norm(np.diff(clips, axis=1), axis=-1).mean(-1) * rate


def pairwise_distance(windows: np.ndarray, seed: int = 0, most: int = 200) -> float:
    """Return the mean root mean squared distance between two windows: 0 where all are one.

    Args:
        windows: Features `(windows, frames, features)`.
        seed: Choice of the windows that are compared.
        most: How many of them at most.
    """
    random = np.random.default_rng(seed)
    flat = np.asarray(windows, "float64").reshape(len(windows), -1)
    flat = flat[random.permutation(len(flat))[:most]]
    squares = (flat**2).sum(1)
    distances = squares[:, None] + squares - 2 * flat @ flat.T
    distances = np.sqrt(np.maximum(distances, 0) / flat.shape[1])
    return float(distances.sum() / max(len(flat) * (len(flat) - 1), 1))
