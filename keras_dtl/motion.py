"""Motion as methods see it: unit directions of bones, and the root's own way apart; NumPy only.

A frame is `(bones * 3 + 4)` numbers: the direction of every bone, seen from the way the body faces;
the height of the root; its steps to the side and ahead since the last frame; and the turn since
then in radians. Lengths are in leg lengths. Bones keep their length whatever a network makes of
the directions, and one network serves bodies of all sizes.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_dtl.bvh import Bvh, BvhError, Joint, axis_rotation, forward_kinematics, zxy_angles

ROOT_FEATURES = 4
"""Height, steps to the side and ahead, and turn."""
_SIDES = (("Left", "Right"), ("left", "right"), ("_L", "_R"), ("_l", "_r"), ("L_", "R_"))


@dataclasses.dataclass(frozen=True)
class Skeleton:
    """Joints by name, from the pelvis on.

    Args:
        names: Of the joints.
        parents: Index of each joint's parent, which comes before it; -1 for the root.
        offsets: Where each joint rests from its parent, `(joints, 3)`; y is up.

    Raises:
        ValueError: A bone has no length, or no two joints make a left and a right.
    """

    names: tuple
    parents: tuple
    offsets: tuple

    def __post_init__(self):
        short = [name for name, length in zip(self.names[1:], self.lengths, strict=True)
                 if length < 1e-6]  # fmt: skip
        if short:
            raise BvhError(f"bones of no length end at {', '.join(short)}")
        if not self.pairs:
            raise BvhError(
                "no joints are named as left and right (Left/Right, _L/_R), by which one could "
                f"see where the body faces; received {', '.join(self.names)}"
            )

    @property
    def lengths(self) -> np.ndarray:
        """Length of the bone to each joint but the root, `(joints - 1,)`."""
        return np.linalg.norm(np.array(self.offsets, "float64")[1:], axis=1)

    @property
    def num_features(self) -> int:
        """How many numbers a frame is: three for each bone, and those of the root."""
        return 3 * (len(self.names) - 1) + ROOT_FEATURES

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Index of the left and of the right joint, for each name that has both."""
        found = {}
        for left, right in _SIDES:
            for index, name in enumerate(self.names):
                other = name.replace(left, right)
                if left in name and other in self.names and index not in found:
                    found[index] = self.names.index(other)
        return tuple(found.items())

    @property
    def hips(self) -> tuple[tuple[int, int], ...]:
        """The pairs that hang from the middle of the body, such as hips and shoulders."""
        sided = {index for pair in self.pairs for index in pair}
        return tuple(pair for pair in self.pairs if self.parents[pair[0]] not in sided)

    @property
    def feet(self) -> tuple[int, ...]:
        """The joints at the ends of the legs, and the ones before them."""
        rest = rest_positions(self)
        ends = [i for i in range(len(self.names)) if i not in self.parents]
        lowest = sorted(ends, key=lambda i: rest[i, 1])[:2]
        return tuple(sorted({*lowest, *(self.parents[i] for i in lowest)}))

    @property
    def leg(self) -> float:
        """Length of a leg: what lengths are measured in."""
        index, length = self.feet[-1], 0.0
        while self.parents[index] >= 0:
            length, index = length + self.lengths[index - 1], self.parents[index]
        return length

    def to_json(self) -> dict:
        """Return names, parents and offsets as values that `json` can write."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: dict) -> "Skeleton":
        """Return the skeleton that `to_json` described.

        Args:
            value: A dictionary with `names`, `parents` and `offsets`.

        Raises:
            KeyError: One of them is missing.
            ValueError: It is no body.
        """
        parents, offsets = tuple(value["parents"]), tuple(tuple(o) for o in value["offsets"])
        return cls(tuple(value["names"]), parents, offsets)


def rest_positions(skeleton: Skeleton) -> np.ndarray:
    """Return where joints rest, seen from the root, float64 `(joints, 3)`.

    Args:
        skeleton: The `Skeleton`.
    """
    places = np.array(skeleton.offsets, "float64")
    for index, parent in enumerate(skeleton.parents):
        if parent >= 0:
            places[index] += places[parent]
    return places


def skeleton_of(bvh: Bvh) -> tuple[Skeleton, list[int]]:
    """Return the `Skeleton` of a file, and the indices of its joints in it.

    Joints above the pelvis, the first one with several children, only carry it about. Joints rest
    as in the first frame, so that one can see which end is up.

    Args:
        bvh: A `Bvh`.

    Raises:
        BvhError: It is no body: a chain, bones of no length, or no left and right.
    """
    parents = list(bvh.parents)
    pelvis = next((i for i in range(len(parents)) if parents.count(i) > 1), None)
    if pelvis is None:
        raise BvhError("no joint has several children; this is a chain and no body")
    kept = [i for i in range(pelvis, len(parents)) if i == pelvis or parents[i] >= pelvis]
    positions, _ = forward_kinematics(dataclasses.replace(bvh, values=bvh.values[:1]))
    new = {old: index for index, old in enumerate(kept)}
    offsets = [(0.0, 0.0, 0.0)]
    offsets += [tuple(map(float, positions[0, i] - positions[0, parents[i]])) for i in kept[1:]]
    names = tuple(bvh.names[i] for i in kept)
    return Skeleton(names, (-1, *(new[parents[i]] for i in kept[1:])), tuple(offsets)), kept


def check_same_skeleton(skeleton: Skeleton, expected: Skeleton) -> None:
    """Refuse a body whose joints differ in name or order.

    Args:
        skeleton: The `Skeleton` of a file.
        expected: That of the model.

    Raises:
        BvhError: Naming the joints.
    """
    if (skeleton.names, tuple(skeleton.parents)) == (expected.names, tuple(expected.parents)):
        return
    missing = [name for name in expected.names if name not in skeleton.names]
    further = [name for name in skeleton.names if name not in expected.names]
    raise BvhError(
        f"another skeleton than the model's: missing {', '.join(missing) or 'none'}; unknown "
        f"{', '.join(further) or 'none'}; {len(skeleton.names)} joints, expected "
        f"{len(expected.names)} in the model's order"
    )


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
    if rate < 0.5 * wanted - 1e-9:
        raise BvhError(f"{rate:.3g} frames a second; at least {wanted / 2:.3g} are needed")
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
    return positions[:, order] * np.array([-1.0, 1.0, 1.0])


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
    """Return world positions of a file's body, its `Skeleton` and its frames a second.

    Args:
        bvh: A `Bvh`.
        skeleton: What it must be, by names and order.
        rate: Frames a second to resample to.
    """
    own, kept = skeleton_of(bvh)
    if skeleton is not None:
        check_same_skeleton(own, skeleton)
    positions = forward_kinematics(bvh)[0][:, kept]
    if rate is not None:
        positions = resample(positions, bvh.frames_per_second, rate)
    return positions, own, rate or bvh.frames_per_second


def to_bvh(positions: np.ndarray, skeleton: Skeleton, rate: float) -> Bvh:
    """Return positions as a `Bvh`, whose bones are as long as the skeleton's.

    Each joint is turned so that its bones point as the positions say; about a single bone it is
    not turned further than its parent, since positions do not tell. Where several bones meet, as
    in the pelvis, a file holds them stiff: they point as near to the positions as they can.

    Args:
        positions: World positions `(frames, joints, 3)`, y up.
        skeleton: The `Skeleton`.
        rate: Frames a second.
    """
    offsets = np.array(skeleton.offsets, "float64")
    turns = _rotations(positions, skeleton, offsets)
    order = _depth_first(skeleton.parents)
    joints, columns = [], []
    for index in order:
        parent = skeleton.parents[index]
        children = [i for i, p in enumerate(skeleton.parents) if p == index]
        above = turns[:, parent] if parent >= 0 else np.tile(np.eye(3), (len(positions), 1, 1))
        angles = zxy_angles(np.swapaxes(above, 1, 2) @ turns[:, index])
        channels = ("Zrotation", "Xrotation", "Yrotation")
        if parent < 0:
            channels = ("Xposition", "Yposition", "Zposition", *channels)
            columns.append(positions[:, index])
        joints.append(
            Joint(
                skeleton.names[index],
                order.index(parent) if parent >= 0 else -1,
                tuple(map(float, offsets[index])),
                channels,
                None if children else (0.0, 0.0, 0.0),
            )
        )
        columns.append(angles)
    return Bvh(tuple(joints), np.concatenate(columns, 1), 1.0 / rate)


def _depth_first(parents):
    order = []

    def visit(index):
        order.append(index)
        for child, parent in enumerate(parents):
            if parent == index:
                visit(child)

    visit(0)
    return order


def _rotations(positions, skeleton, offsets):
    """Return the rotation to world axes of every joint, `(frames, joints, 3, 3)`."""
    turns = np.tile(np.eye(3), (len(positions), len(offsets), 1, 1))
    for index, parent in enumerate(skeleton.parents):
        start = turns[:, parent] if parent >= 0 else turns[:, index]
        children = [i for i, p in enumerate(skeleton.parents) if p == index]
        if not children:
            turns[:, index] = start
            continue
        rest = np.einsum("fij,cj->fci", start, offsets[children])
        now = positions[:, children] - positions[:, index : index + 1]
        turns[:, index] = _aligning(rest, now) @ start
    return turns


def _aligning(rest, now):
    """Return the smallest rotations `(frames, 3, 3)` that lay `rest` upon `now`, by least squares.

    A single bone leaves the turn about it open; a little of the two axes across keeps it small.
    """
    covariance = np.einsum("fci,fcj->fij", now, rest)
    if rest.shape[1] == 1:
        covariance = _with_frame(rest[:, 0], now[:, 0])
    u, _, v = np.linalg.svd(covariance)
    sign = np.linalg.det(u @ v)
    u[..., -1] *= sign[:, None]
    return u @ v


def _with_frame(rest, now):
    """Return the minimal rotation from one direction to another, as a matrix to be made proper."""
    a = rest / np.linalg.norm(rest, axis=1, keepdims=True)
    b = now / np.linalg.norm(now, axis=1, keepdims=True)
    across = np.cross(a, b)
    cosine = (a * b).sum(1)[:, None, None]
    zero = np.zeros(len(a))
    x, y, z = across.T
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).reshape(-1, 3, 3)
    return np.eye(3) + cross + cross @ cross / np.maximum(1 + cosine, 1e-9)
