"""A new motion for the character of a BVH file: its joints, order, channels and frames stay.

Joints that the motion tells are turned so that their bones point as it says, from where they are
in the file, so that what positions do not tell (how a head or a wrist is turned) stays as it was.
All others keep their motion.
"""

import dataclasses

import numpy as np

from keras_dtl.motion.bodies import Body
from keras_dtl.motion.bvh_content import POSITIONS, ROTATIONS, Bvh, children_of
from keras_dtl.motion.features import resample
from keras_dtl.motion.kinematics import aligning_rotations, forward_kinematics


def fit_motion(body: Body, positions: np.ndarray, rate: float, lead_in: bool = True) -> Bvh:
    """Return the file of a body with another motion.

    Args:
        body: The `Body` of the file.
        positions: World positions `(frames, joints, 3)`, y up, of what `read_motion` returned of
            the file at that rate, as they shall be.
        rate: Frames a second of the positions; the result has those of the file.
        lead_in: Keep the frames of the pose that the clip jumps from, as they are in the file.

    Returns:
        A `Bvh` of the same joints and the same frame time.
    """
    first = body.lead_in
    moving = dataclasses.replace(body.bvh, values=body.bvh.values[first:])
    wanted = _at_frames_of(moving, body.positions[first:], positions, rate) @ body.turn
    values = _Fit(moving, body.joints, wanted).values()
    if lead_in:
        values = np.concatenate([body.bvh.values[:first], values])
    return dataclasses.replace(body.bvh, values=values)


def _at_frames_of(bvh, before, positions, rate):
    """Return positions in the frames of a file.

    What is lost of the file's own motion at the other rate is given back.
    """
    times = np.arange(len(before)) * rate / bvh.frames_per_second
    lost = before - _between(resample(before, bvh.frames_per_second, rate), times)
    return _between(positions, times) + lost


def _between(positions, times):
    """Return positions at times in frames, linearly in between and after the end."""
    low = np.clip(times.astype(int), 0, max(len(positions) - 2, 0))
    high = np.minimum(low + 1, len(positions) - 1)
    share = (times - low)[:, None, None]
    return (1 - share) * positions[low] + share * positions[high]


class _Fit:
    """Turns the joints of a file, one after the other from the root on.

    Args:
        bvh: The file.
        joints: Index in it of the joints that are moved.
        wanted: Where these shall be, `(frames, joints, 3)`, in the axes of the file.
    """

    def __init__(self, bvh, joints, wanted):
        self.bvh, self.pelvis = bvh, joints[0]
        self.wanted = dict(zip(joints, np.moveaxis(wanted, 1, 0), strict=True))
        self.places, self.turns = forward_kinematics(bvh)
        self.columns = np.cumsum([0, *(len(joint.channels) for joint in bvh.joints)])
        self.targets = self._targets()

    def _targets(self):
        """Return the joints that each joint must point to: the next moved ones below it."""
        children = children_of(self.bvh.parents)
        below = [None] * len(children)
        for index in reversed(range(len(children))):
            near = [[child] if child in self.wanted else below[child] for child in children[index]]
            below[index] = [target for targets in near for target in targets]
        return [
            targets if index in self.wanted or self._is_merged(index) else []
            for index, targets in enumerate(below)
        ]

    def _owner(self, index):
        """Return the moved joint that a joint is, or hangs from."""
        while index >= 0 and index not in self.wanted:
            index = self.bvh.joints[index].parent
        return index

    def _is_merged(self, index):
        """Tell whether a joint is at the place of the moved joint from which it hangs."""
        owner = self._owner(index)
        if owner < 0:
            return False
        apart = np.abs(self.places[:, index] - self.places[:, owner]).max()
        return apart < 1e-4 * np.ptp(self.places[0], axis=0).max()

    def values(self):
        """Return the channels of all joints, `(frames, channels)`."""
        values = self.bvh.values.copy()
        self._move_pelvis(values)
        turns = self.turns.copy()
        for index, joint in enumerate(self.bvh.joints):
            above = turns[:, joint.parent] if joint.parent >= 0 else np.eye(3)
            start = above @ self._local(index)
            turns[:, index] = start
            order = [name for name in joint.channels if name in ROTATIONS]
            if not self.targets[index] or len(order) < 3:
                continue
            turns[:, index] = self._align(index, start)
            local = np.swapaxes(above, -1, -2) @ turns[:, index]
            columns = [self.columns[index] + joint.channels.index(name) for name in order]
            axes = [ROTATIONS.index(name) for name in order]
            values[:, columns] = angles_near(local, axes, values[:, columns])
        return values

    def _local(self, index):
        parent = self.bvh.joints[index].parent
        if parent < 0:
            return self.turns[:, index]
        return np.swapaxes(self.turns[:, parent], 1, 2) @ self.turns[:, index]

    def _align(self, index, start):
        targets, owner = self.targets[index], self._owner(index)
        bones = self.places[:, targets] - self.places[:, index, None]
        own = np.einsum("fji,fcj->fci", self.turns[:, index], bones)  # in the joint's own axes
        now = np.einsum("fij,fcj->fci", start, own)
        wanted = np.stack([self.wanted[target] - self.wanted[owner] for target in targets], 1)
        return aligning_rotations(now, wanted) @ start

    def _move_pelvis(self, values):
        """Move the joint that carries the pelvis about, which is itself or one above it."""
        index = self.pelvis
        while not set(POSITIONS) <= set(self.bvh.joints[index].channels):
            index = self.bvh.joints[index].parent
            if index < 0:
                return
        joint = self.bvh.joints[index]
        way = self.wanted[self.pelvis] - self.places[:, self.pelvis]
        if joint.parent >= 0:
            way = np.einsum("fji,fj->fi", self.turns[:, joint.parent], way)
        columns = [self.columns[index] + joint.channels.index(name) for name in POSITIONS]
        values[:, columns] += way


def angles_near(rotations: np.ndarray, axes: list[int], near: np.ndarray) -> np.ndarray:
    """Return angles `(frames, 3)` in degrees about three axes in turn, as near as may be to others.

    Args:
        rotations: Rotation matrices `(frames, 3, 3)`: the product of those about the axes.
        axes: The three axes, 0, 1 and 2 in any order.
        near: Angles in degrees `(frames, 3)`; of the many that mean the same the nearest is taken.
    """
    a, b, c = axes
    sign = 1 if (b - a) % 3 == 1 else -1
    sine = np.clip(sign * rotations[:, a, c], -1, 1)
    first = np.arctan2(-sign * rotations[:, b, c], rotations[:, c, c])
    last = np.arctan2(-sign * rotations[:, a, b], rotations[:, a, a])
    # Where the second is a right angle, the others turn about the same axis: the first takes it.
    locked = np.abs(sine) > 1 - 1e-9
    first = np.where(locked, np.arctan2(sign * rotations[:, c, b], rotations[:, b, b]), first)
    last = np.where(locked, 0.0, last)
    angles = np.degrees(np.stack([first, np.arcsin(sine), last], -1))
    other = np.stack([angles[:, 0] + 180, 180 - angles[:, 1], angles[:, 2] + 180], -1)
    choices = [each + 360 * np.round((near - each) / 360) for each in (angles, other)]
    distances = [np.abs(choice - near).sum(-1) for choice in choices]
    return np.where((distances[0] <= distances[1])[:, None], *choices)
