"""Motion as methods see it: unit directions of bones, and the root's own way apart; NumPy only.

A frame is `(bones * 3 + 4)` numbers: the direction of every bone, seen from the way the body faces;
the height of the root; its steps to the side and ahead since the last frame; and the turn since
then in radians. Lengths are in leg lengths. Bones keep their length whatever a network makes of
the directions, and one network serves bodies of all sizes.
"""

from collections.abc import Sequence

import numpy as np

from keras_dtl.motion.bodies import body_of
from keras_dtl.motion.bvh_content import Bvh, BvhError
from keras_dtl.motion.kinematics import axis_rotation
from keras_dtl.motion.skeleton import ROOT_FEATURES, Skeleton


def resample(positions: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """Return positions `(frames, ...)` at another rate, linearly in between.

    Args:
        positions: `(frames, ...)`.
        rate: Their frames a second.
        wanted: Frames a second of the result.

    Raises:
        BvhError: The rate is less than half of the wanted one: what is missing cannot be invented.
    """
    if abs(rate / wanted - 1) < 1e-3:
        return positions
    # Files round the time of a frame: 0.066667 is 15 frames a second.
    if rate < 0.5 * wanted * (1 - 1e-3):
        raise BvhError(
            f"{rate:.3g} frames a second; at least {wanted / 2:.3g} are needed, half of the rate "
            f"of {wanted:.3g} that is learnt: learn at a lower one (--rate {2 * rate:.3g} or less)"
        )
    frames = len(positions)
    count = int(np.floor((frames - 1) / rate * wanted + 1e-6)) + 1
    times = np.minimum(np.arange(count) * rate / wanted, frames - 1)
    low = np.minimum(times.astype(int), max(frames - 2, 0))
    share = (times - low).reshape(-1, *[1] * (positions.ndim - 1))
    high = np.minimum(low + 1, frames - 1)
    return (1 - share) * positions[low] + share * positions[high]


def mirror_motion(positions: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Return the motion as a mirror shows it: left is right.

    Args:
        positions: `(frames, joints, 3)`.
        skeleton: The `Skeleton`, whose pairs change sides.
    """
    order = np.arange(len(skeleton.names))
    for left, right in skeleton.pairs:
        order[left], order[right] = right, left
    mirrored = positions[:, order] * np.array([-1.0, 1.0, 1.0])
    return _with_lengths_of(mirrored, positions, skeleton.parents)


def _with_lengths_of(positions, model, parents):
    """Return positions whose bones are as long as those of a model; as they are where they are."""
    above = list(parents[1:])
    bones = positions[:, 1:] - positions[:, above]
    lengths, wanted = (
        np.linalg.norm(p[:, 1:] - p[:, above], axis=-1, keepdims=True) for p in (positions, model)
    )
    if np.allclose(lengths, wanted, rtol=1e-6, atol=0):
        return positions
    bones = bones * (wanted / np.maximum(lengths, 1e-12))
    result = positions.copy()
    for index, parent in enumerate(above, 1):
        result[:, index] = result[:, parent] + bones[:, index - 1]
    return result


def heading(positions: np.ndarray, skeleton: Skeleton, smoothing: float = 3.0) -> np.ndarray:
    """Return the angle `(frames,)` about y that the body faces, in radians without jumps.

    Args:
        positions: `(frames, joints, 3)`.
        skeleton: The `Skeleton`.
        smoothing: Frames of a bell curve's deviation, so that swinging hips count for little.
    """
    across = sum(positions[:, left] - positions[:, right] for left, right in skeleton.hips)
    across = _smooth(across[:, [0, 2]], smoothing)
    return np.unwrap(np.arctan2(-across[:, 1], across[:, 0]))


def _smooth(values, deviation):
    reach = int(4 * deviation)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(deviation, 1e-9)) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(c, weights / weights.sum(), "valid") for c in padded.T], 1)


MIRRORED = "toes point backwards: left and right are exchanged, or an axis is mirrored"
"""What is said of motion of which `has_toes_behind` is true."""


def has_toes_behind(positions: np.ndarray, skeleton: Skeleton) -> bool:
    """Return whether toes point against the way that the body faces by its left and right.

    Args:
        positions: World positions `(frames, joints, 3)`, y up.
        skeleton: The `Skeleton`; where its feet have no toes, they tell nothing.
    """
    facing = heading(positions, skeleton)
    ahead = np.stack([np.sin(facing), np.cos(facing)], 1)
    toes = [joint for joint in skeleton.feet if joint not in skeleton.parents]
    feet = positions[:, toes] - positions[:, [skeleton.parents[joint] for joint in toes]]
    lengths = np.linalg.norm(feet, axis=-1)
    cosines = np.einsum("fti,fi->ft", feet[..., [0, 2]], ahead) / np.maximum(lengths, 1e-12)
    return bool((np.median(cosines, 0) < -0.5).all())


def features_of(positions: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Turn positions into what methods learn from.

    Args:
        positions: World positions `(frames, joints, 3)`, y up, of two frames or more.
        skeleton: The `Skeleton`.

    Returns:
        float32 `(frames, skeleton.num_features)`.
    """
    if len(positions) < 2:
        raise BvhError(f"a motion needs 2 frames or more, received {len(positions)}")
    facing = heading(positions, skeleton)
    back = axis_rotation(1, -facing)
    bones = positions[:, 1:] - positions[:, list(skeleton.parents[1:])]
    lengths = np.linalg.norm(bones, axis=-1, keepdims=True)
    if (lengths < 1e-6).any():
        frame, bone = np.argwhere(lengths[..., 0] < 1e-6)[0]
        raise BvhError(f"the bone to {skeleton.names[bone + 1]} has no length in frame {frame + 1}")
    directions = np.einsum("fij,fbj->fbi", back, bones / lengths)
    root = positions[:, 0]
    steps = np.einsum("fij,fj->fi", back[:-1], np.diff(root, axis=0))[:, [0, 2]]
    steps = np.concatenate([steps[:1], steps]) / skeleton.leg
    turns = np.diff(facing)
    turns = np.concatenate([turns[:1], turns])[:, None]
    height = root[:, 1:2] / skeleton.leg
    pieces = [directions.reshape(len(root), -1), height, steps, turns]
    return np.concatenate(pieces, 1).astype("float32")


def positions_of(
    features: np.ndarray,
    skeleton: Skeleton,
    start: Sequence[float] = (0.0, 0.0),
    facing: float = 0.0,
) -> np.ndarray:
    """Turn features back into world positions `(frames, joints, 3)`.

    Args:
        features: `(frames, skeleton.num_features)`; directions of any length.
        skeleton: The `Skeleton`, whose bones get their lengths.
        start: x and z of the root in the first frame.
        facing: Angle that the first frame faces, in radians.
    """
    features = np.asarray(features, "float64")
    directions = features[:, :-ROOT_FEATURES].reshape(len(features), -1, 3)
    directions = directions / np.maximum(np.linalg.norm(directions, axis=-1, keepdims=True), 1e-9)
    height, side, ahead, turn = features[:, -ROOT_FEATURES:].T
    angles = facing + np.concatenate([[0.0], np.cumsum(turn[1:])])
    forth = axis_rotation(1, angles)
    steps = np.stack([side, np.zeros_like(side), ahead], 1) * skeleton.leg
    steps = np.einsum("fij,fj->fi", forth[:-1], steps[1:])
    positions = np.empty((len(features), len(skeleton.names), 3))
    way = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, 0)])
    positions[:, 0] = way + np.array([start[0], 0.0, start[1]])
    positions[:, 0, 1] = height * skeleton.leg
    bones = np.einsum("fij,fbj->fbi", forth, directions) * skeleton.lengths[:, None]
    for index, parent in enumerate(skeleton.parents[1:], 1):
        positions[:, index] = positions[:, parent] + bones[:, index - 1]
    return positions


def read_motion(
    bvh: Bvh, skeleton: Skeleton | None = None, rate: float | None = None
) -> tuple[np.ndarray, Skeleton, float]:
    """Return world positions of a file's body, y up, its `Skeleton` and its frames a second.

    A pose that the clip jumps from, such as a T-pose in its first frame, is left out.

    Args:
        bvh: A `Bvh`, of any up axis.
        skeleton: What it must be; its names and order are those of the result.
        rate: Frames a second to resample to.

    Raises:
        BvhError: It is no body, another one, or its rate is too low.
    """
    body = body_of(bvh, skeleton)
    positions = body.positions[body.lead_in :]
    if rate is not None:
        positions = resample(positions, bvh.frames_per_second, rate)
    return positions, body.skeleton, rate or bvh.frames_per_second
