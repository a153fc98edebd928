"""The skeleton that methods see: joints by name, from the pelvis on; NumPy only."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_dtl.motion.bvh_content import BvhError
from keras_dtl.motion.joint_names import side_pairs

ROOT_FEATURES = 4
"""Height, steps to the side and ahead, and turn."""


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
        check_sides(self.names)

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
        return side_pairs(self.names)

    @property
    def hips(self) -> tuple[tuple[int, int], ...]:
        """The pairs that hang from the middle of the body, such as hips and shoulders."""
        return middle_pairs(self.names, self.parents)

    @property
    def feet(self) -> tuple[int, ...]:
        """The joints at the ends of the legs, and the ones before them."""
        rest = rest_positions(self)
        ends = [i for i in range(len(self.names)) if i not in self.parents]
        lowest = sorted(ends, key=lambda i: rest[i, 1])[:2]
        return tuple(sorted({*lowest, *(self.parents[i] for i in lowest)}))

    @property
    def leg_joints(self) -> tuple[int, ...]:
        """The joints of a leg, from its end up to the root, which is left out."""
        index, found = self.feet[-1], []
        while self.parents[index] >= 0:
            found.append(index)
            index = self.parents[index]
        return tuple(found)

    @property
    def leg(self) -> float:
        """Length of a leg: what lengths are measured in."""
        lengths = self.lengths
        return float(sum(lengths[index - 1] for index in self.leg_joints))

    @property
    def legs(self) -> np.ndarray:
        """Length of each bone on the way from the root to each of `feet`, `(joints - 1, feet)`.

        In leg lengths; 0 for bones that are not on the way.
        """
        found = np.zeros((len(self.names) - 1, len(self.feet)))
        for column, index in enumerate(self.feet):
            while self.parents[index] >= 0:
                found[index - 1, column] = self.lengths[index - 1] / self.leg
                index = self.parents[index]
        return found

    def to_json(self) -> dict:
        """Return names, parents and offsets as values that `json` can write."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: dict) -> "Skeleton":
        """Return the skeleton that `to_json` described.

        Args:
            value: A dictionary with `names`, `parents` and `offsets`.

        Raises:
            ValueError: One of them is missing, or it is no body.
        """
        try:
            parents, offsets = tuple(value["parents"]), tuple(tuple(o) for o in value["offsets"])
            known = [0 <= parent < joint for joint, parent in enumerate(parents)]
            counts = {len(value["names"]), len(parents), len(offsets)}
            if parents[0] != -1 or not all(known[1:]) or len(counts) > 1:
                raise ValueError("every joint but the first one needs a parent before it")
            if not np.isfinite(np.array(offsets, "float64")).all():
                raise ValueError("offsets must be finite")
            return cls(tuple(value["names"]), parents, offsets)
        except (LookupError, TypeError, OverflowError) as error:
            raise ValueError(
                "A skeleton is an object of `names`, `parents` and `offsets`, as many of each. "
                f"Received: one where {error!r}."
            ) from error


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


def middle_pairs(names: Sequence[str], parents: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return index of left and right joint of the pairs that hang from the middle of a body.

    Args:
        names: Of the joints.
        parents: Index of each joint's parent; -1 for the root.
    """
    pairs = side_pairs(names)
    sided = {index for pair in pairs for index in pair}
    return tuple(pair for pair in pairs if parents[pair[0]] not in sided)


def check_sides(names: Sequence[str]) -> None:
    """Refuse joints of which none are a left and a right.

    Args:
        names: Of the joints.

    Raises:
        BvhError: Naming them.
    """
    if not side_pairs(names):
        raise BvhError(
            "no joints are named as left and right (Left/Right, L/R), by which one could see "
            f"where the body faces; received {', '.join(names)}"
        )
