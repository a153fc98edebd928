"""The channels of a BVH file to world positions and back; NumPy only."""

import numpy as np

from keras_dtl.motion.bvh_content import POSITIONS, ROTATIONS, Bvh, Joint, children_of
from keras_dtl.motion.skeleton import Skeleton


def forward_kinematics(bvh: Bvh) -> tuple[np.ndarray, np.ndarray]:
    """Return where all joints are, float64 `(frames, joints, 3)`, and how they are turned.

    Position channels of a joint stand in place of its offset. Rotations are applied in the order
    of the channels, each about the axes as the ones before have turned them.

    Args:
        bvh: A `Bvh`; its angles are in degrees, its lengths in whatever unit.

    Returns:
        Positions `(frames, joints, 3)` and rotations to world axes `(frames, joints, 3, 3)`.
    """
    frames, count = len(bvh.values), len(bvh.joints)
    positions = np.empty((frames, count, 3))
    rotations = np.empty((frames, count, 3, 3))
    column = 0
    for index, joint in enumerate(bvh.joints):
        values = bvh.values[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        place, turn = _local(joint, values)
        if joint.parent < 0:
            positions[:, index], rotations[:, index] = place, turn
            continue
        above = rotations[:, joint.parent]
        positions[:, index] = positions[:, joint.parent] + np.einsum("fij,fj->fi", above, place)
        rotations[:, index] = above @ turn
    return positions, rotations


def _local(joint, values):
    """Return translation `(frames, 3)` and rotation `(frames, 3, 3)` from a joint's parent."""
    place = np.tile(np.array(joint.offset, "float64"), (len(values), 1))
    turn = np.tile(np.eye(3), (len(values), 1, 1))
    for name, column in zip(joint.channels, values.T, strict=True):
        if name in POSITIONS:
            place[:, POSITIONS.index(name)] = column
        else:
            turn = turn @ axis_rotation(ROTATIONS.index(name), np.radians(column))
    return place, turn


def axis_rotation(axis: int, angles: np.ndarray) -> np.ndarray:
    """Return rotations about the axis x (0), y (1) or z (2) by angles in radians.

    Args:
        axis: 0, 1 or 2.
        angles: In radians, an array of any shape.

    Returns:
        Rotation matrices `(*angles.shape, 3, 3)`.
    """
    angles = np.asarray(angles, "float64")
    matrix = np.zeros((*angles.shape, 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angles)
    matrix[..., second, first] = np.sin(angles)
    matrix[..., first, second] = -np.sin(angles)
    return matrix


def zxy_angles(rotations: np.ndarray) -> np.ndarray:
    """Return angles `(..., 3)` in degrees about z, x and y, such that R = Rz Rx Ry.

    Args:
        rotations: Rotation matrices `(..., 3, 3)`.
    """
    x = np.arcsin(np.clip(rotations[..., 2, 1], -1, 1))
    z = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    y = np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2])
    # Where x is a right angle, z and y turn about the same axis: z takes it all.
    locked = np.abs(rotations[..., 2, 1]) > 1 - 1e-9
    z = np.where(locked, np.arctan2(rotations[..., 1, 0], rotations[..., 0, 0]), z)
    return np.degrees(np.stack([z, x, np.where(locked, 0.0, y)], -1))


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
    children = children_of(skeleton.parents)
    order = _depth_first(children)
    joints, columns = [], []
    for index in order:
        parent = skeleton.parents[index]
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
                None if children[index] else (0.0, 0.0, 0.0),
            )
        )
        columns.append(angles)
    return Bvh(tuple(joints), np.concatenate(columns, 1), 1.0 / rate)


def _depth_first(children):
    order, left = [], [0]
    while left:
        order.append(left.pop())
        left += reversed(children[order[-1]])
    return order


def _rotations(positions, skeleton, offsets):
    """Return the rotation to world axes of every joint, `(frames, joints, 3, 3)`."""
    turns = np.tile(np.eye(3), (len(positions), len(offsets), 1, 1))
    children = children_of(skeleton.parents)
    for index, parent in enumerate(skeleton.parents):
        start = turns[:, parent] if parent >= 0 else turns[:, index]
        if not children[index]:
            turns[:, index] = start
            continue
        rest = np.einsum("fij,cj->fci", start, offsets[children[index]])
        now = positions[:, children[index]] - positions[:, index : index + 1]
        turns[:, index] = aligning_rotations(rest, now) @ start
    return turns


def aligning_rotations(rest: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Return the smallest rotations `(frames, 3, 3)` that lay `rest` upon `now`, by least squares.

    A single bone leaves the turn about it open; a little of the two axes across keeps it small.

    Args:
        rest, now: Bones `(frames, bones, 3)`.
    """
    covariance = np.einsum("fci,fcj->fij", now, rest)
    if rest.shape[1] == 1:
        covariance = _with_frame(rest[:, 0], now[:, 0])
    u, _, v = np.linalg.svd(covariance)
    sign = np.linalg.det(u @ v)
    u[..., -1] *= sign[:, None]
    return u @ v


def _with_frame(rest, now):
    """Return the smallest rotation from one direction to another: two half turns.

    Of opposite directions, about which one cannot tell, it is about any axis across.
    """
    a, b = _units(rest), _units(now)
    across = np.eye(3)[np.abs(a).argmin(1)]
    across = across - (across * a).sum(1, keepdims=True) * a
    is_opposite = np.linalg.norm(a + b, axis=1, keepdims=True) < 1e-6
    return _half_turns(_units(np.where(is_opposite, across, a + b))) @ _half_turns(a)


def _units(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _half_turns(axes):
    return 2 * axes[:, :, None] * axes[:, None] - np.eye(3)
