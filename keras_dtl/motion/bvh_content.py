"""What a BVH file holds: joints, and the values of their channels over time; NumPy only."""

import dataclasses
from collections.abc import Sequence

import numpy as np

POSITIONS = ("Xposition", "Yposition", "Zposition")
ROTATIONS = ("Xrotation", "Yrotation", "Zrotation")


class BvhError(ValueError):
    """A BVH file that cannot be used; the message says where and why."""


@dataclasses.dataclass(frozen=True)
class Joint:
    """One joint of a skeleton.

    Args:
        name: Without white space.
        parent: Index of its parent, which comes before it; -1 for the root.
        offset: Where it rests, from its parent, `(x, y, z)`.
        channels: Names such as `"Zrotation"`, in the order of the file.
        end: Offset of the end site, where it has one.
    """

    name: str
    parent: int
    offset: tuple
    channels: tuple
    end: tuple | None = None


@dataclasses.dataclass(frozen=True)
class Bvh:
    """A skeleton and its motion.

    Args:
        joints: Tuple of `Joint`, parents first.
        values: Channels of all joints in turn, float64 `(frames, channels)`, angles in degrees.
        frame_time: Seconds from one frame to the next.
    """

    joints: tuple
    values: np.ndarray
    frame_time: float

    @property
    def names(self) -> tuple[str, ...]:
        """Of the joints, in their order."""
        return tuple(joint.name for joint in self.joints)

    @property
    def parents(self) -> np.ndarray:
        """Index of each joint's parent, integers `(joints,)`; -1 for the root."""
        return np.array([joint.parent for joint in self.joints])

    @property
    def offsets(self) -> np.ndarray:
        """Where each joint rests from its parent, float64 `(joints, 3)`."""
        return np.array([joint.offset for joint in self.joints], "float64")

    @property
    def frames_per_second(self) -> float:
        """The inverse of `frame_time`."""
        return 1.0 / self.frame_time


def children_of(parents: Sequence[int]) -> list[list[int]]:
    """Return the children of each joint, in their order.

    Args:
        parents: Index of each joint's parent; -1 for the root.
    """
    children = [[] for _ in parents]
    for index, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(index)
    return children
