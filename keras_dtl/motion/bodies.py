"""The body in a BVH file: its joints, which way is up, and the pose that a clip jumps from.

What a body is, is read from its rest pose and from the clip as a whole, never from one frame: a
first frame may be a T-pose, lie on its back, or be anything.
"""

import dataclasses

import numpy as np

from keras_dtl.motion.bvh_content import POSITIONS, Bvh, BvhError, children_of
from keras_dtl.motion.joint_names import match_joints
from keras_dtl.motion.kinematics import forward_kinematics
from keras_dtl.motion.skeleton import Skeleton, check_sides
from keras_dtl.motion.up_axis import turn_to_y, up_axes

_SHORTEST = 1e-4  # of the longest bone: what is shorter has no length
_JUMP = 0.25  # leg lengths from one frame to the next
_STILL = 0.01  # the same of a pose that is held


@dataclasses.dataclass(frozen=True)
class Body:
    """The body in a file as methods see it.

    Args:
        bvh: The `Bvh`.
        joints: Index in the file of each joint of the skeleton.
        skeleton: The `Skeleton`, with lengths of this body; y is up.
        up: The axis that is up in the file: x, y or z, with a minus sign where it points down.
        positions: World positions `(frames, joints, 3)` in all frames of the file, y up.
        lead_in: How many frames at the begin are a pose that the clip jumps from.
    """

    bvh: Bvh
    joints: tuple
    skeleton: Skeleton
    up: str
    positions: np.ndarray
    lead_in: int

    @property
    def turn(self) -> np.ndarray:
        """What turns places in the file into places with y up, `(3, 3)`."""
        return turn_to_y(self.up)


def body_of(bvh: Bvh, expected: Skeleton | None = None, lead_in: int | None = None) -> Body:
    """Return the body in a file.

    Joints above the pelvis, the first one with several children, only carry it about. Bones of no
    length are no bones: what hangs from them hangs from the joint above.

    Args:
        bvh: A `Bvh`.
        expected: The `Skeleton` that it must be; joints that this one lacks are left out, and
            other names are understood where it is certain what they stand for.
        lead_in: How many frames at the begin are a pose; by default those before a jump.

    Raises:
        BvhError: It is no body (a chain, no bones, or no left and right), or another one; or no
            frames are left after the lead-in.
    """
    places, _ = forward_kinematics(bvh)
    joints, parents = _joints_with_length(bvh, places)
    names = tuple(bvh.names[joint] for joint in joints)
    if expected is not None:
        chosen = match_joints(names, parents, expected.names, expected.parents)
        if chosen is None:
            raise BvhError(_difference(names, expected))
        joints = [joints[index] for index in chosen]
        names, parents = expected.names, tuple(expected.parents)
    rest = _rest_places(bvh)[joints]
    places = places[:, joints]
    check_sides(names)
    up, rest_up = up_axes(names, parents, rest, places)
    positions = places @ turn_to_y(up).T
    if rest_up is None:
        # The pose in which the body is tallest stands in for a rest pose that is none.
        rest = positions[np.argmax(np.ptp(positions[..., 1], axis=1))]
    else:
        rest = rest @ turn_to_y(rest_up).T
    skeleton = Skeleton(names, parents, _offsets(parents, rest, positions))
    if lead_in is None:
        lead_in = lead_in_frames(positions, skeleton.leg)
    if lead_in >= len(positions):
        raise BvhError(
            f"it has {len(positions)} frames, of which a lead-in of {lead_in} leaves none"
        )
    return Body(bvh, tuple(joints), skeleton, up, positions, lead_in)


def _joints_with_length(bvh, places):
    """Return the joints from the pelvis on that end a bone, and their parents among them."""
    parents = bvh.parents
    children = children_of(parents)
    pelvis = next((i for i, below in enumerate(children) if len(below) > 1), None)
    if pelvis is None:
        raise BvhError("no joint has several children; this is a chain and no body")
    bones = places[:, 1:] - places[:, parents[1:]]
    lengths = np.concatenate([[0.0], np.median(np.linalg.norm(bones, axis=-1), 0)])
    long = lengths > _SHORTEST * lengths[pelvis + 1 :].max()
    # For each joint below the pelvis, the place among those kept of the one that it is or joins.
    owner, joints, above = {pelvis: 0}, [pelvis], [-1]
    for index in range(pelvis + 1, len(parents)):
        if parents[index] not in owner:
            continue
        owner[index] = owner[parents[index]]
        if long[index]:
            above.append(owner[index])
            owner[index] = len(joints)
            joints.append(index)
    if len(joints) < 2:
        raise BvhError("all bones have no length; this is no body")
    return joints, tuple(above)


def _difference(names, expected):
    missing = [name for name in expected.names if name not in names]
    further = [name for name in names if name not in expected.names]
    return (
        f"another skeleton than the model's: missing {', '.join(missing) or 'none'}; unknown "
        f"{', '.join(further) or 'none'}. Its joints: {', '.join(names)}. Expected: "
        f"{', '.join(expected.names)}, each below the one that it hangs from in the model. Rename "
        "its joints, or train a model on such files"
    )


def _rest_places(bvh):
    """Return where joints are if nothing is turned, `(joints, 3)`, in the file's axes."""
    places, column = np.zeros((len(bvh.joints), 3)), 0
    for index, joint in enumerate(bvh.joints):
        place = np.array(joint.offset, "float64")
        for name in joint.channels:
            if name in POSITIONS and joint.parent >= 0:
                place[POSITIONS.index(name)] = np.median(bvh.values[:, column])
            column += 1
        places[index] = place + (places[joint.parent] if joint.parent >= 0 else 0)
    return places


def _offsets(parents, rest, positions):
    """Return bones that point as in the rest pose and are as long as in the clip."""
    above = list(parents[1:])
    bones = rest[1:] - rest[above]
    lengths = np.median(np.linalg.norm(positions[:, 1:] - positions[:, above], axis=-1), 0)
    bones = bones * (lengths / np.maximum(np.linalg.norm(bones, axis=1), 1e-12))[:, None]
    return ((0.0, 0.0, 0.0), *(tuple(map(float, bone)) for bone in bones))


def lead_in_frames(positions: np.ndarray, leg: float) -> int:
    """Return how many frames at the begin are a pose that a clip jumps from.

    That is up to three frames, or a pose that is held for at most half of the clip, before a step
    that is far larger than those of the rest.

    Args:
        positions: World positions `(frames, joints, 3)`.
        leg: Length of a leg in their unit.
    """
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=-1).max(1) / leg
    for index in range(len(steps) // 2):
        held = index < 3 or steps[:index].max() < _STILL
        if not held:
            break
        if steps[index] > max(_JUMP, 3 * np.percentile(steps[index + 1 :], 95)):
            return index + 1
    return 0
