"""BVH motion files, read, written and turned into positions; NumPy only.

A file may come from anywhere: every number is checked before it is used.
"""

from pathlib import Path

import numpy as np

from keras_dtl.bvh_content import POSITIONS, ROTATIONS, Bvh, BvhError, children_of
from keras_dtl.bvh_content import Joint as Joint
from keras_dtl.bvh_parser import check_length, parse_bvh
from keras_dtl.files import FilePath, read_regular, write_text

_DEEPEST_TAB = 50


def read_bvh(path: FilePath) -> Bvh:
    """Read a BVH file.

    Args:
        path: The file.

    Raises:
        BvhError: It is not a BVH file, or is damaged; the message says in which line and how.
        OSError: It cannot be read.
    """
    path = Path(path)
    try:
        check_length(path.stat().st_size)
        return parse_bvh(read_regular(path))
    except BvhError as error:
        raise BvhError(f"{path.name}: {error}") from error


def write_bvh(path: FilePath, bvh: Bvh, decimals: int = 6) -> None:
    """Write a BVH file, whole or not at all.

    Args:
        path: The file.
        bvh: A `Bvh`.
        decimals: Digits after the point in the motion; 6 is what files commonly have, and
            what was read from such a file is written as it was.
    """
    write_text(path, format_bvh(bvh, decimals))


def format_bvh(bvh: Bvh, decimals: int = 6) -> str:
    """Return the text of a BVH file.

    Args:
        bvh: A `Bvh`.
        decimals: Digits after the point in the motion.
    """
    lines = ["HIERARCHY", *_hierarchy(bvh.joints), "MOTION"]
    lines += [f"Frames: {len(bvh.values)}", f"Frame Time: {bvh.frame_time!r}"]
    lines += [" ".join(f"{value:.{decimals}f}" for value in row) for row in bvh.values]
    return "\n".join(lines) + "\n"


def _hierarchy(joints):
    """Yield the lines of a skeleton; without recursion, as it may be a long chain."""
    children = children_of([joint.parent for joint in joints])
    left = [(0, 0, False)]  # joint, depth, whether it is to be closed
    while left:
        index, depth, closed = left.pop()
        if closed:
            yield from _closing(joints[index], _tab(depth))
            continue
        yield from _opening(joints[index], depth)
        left.append((index, depth, True))
        left += [(child, depth + 1, False) for child in reversed(children[index])]


def _tab(depth):
    # Of a chain of joints, tabs would be nearly all of the file.
    return "\t" * min(depth, _DEEPEST_TAB)


def _opening(joint, depth):
    tab = _tab(depth)
    yield f"{tab}{'JOINT' if depth else 'ROOT'} {joint.name}"
    yield f"{tab}{{"
    yield f"{tab}\tOFFSET {_triple(joint.offset)}"
    yield " ".join([f"{tab}\tCHANNELS {len(joint.channels)}", *joint.channels])


def _closing(joint, tab):
    if joint.end is not None:
        yield from (f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {_triple(joint.end)}")
        yield f"{tab}\t}}"
    yield f"{tab}}}"


def _triple(offset):
    return " ".join(repr(float(value)) for value in offset)


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


def to_six(rotations: np.ndarray) -> np.ndarray:
    """Return the first two columns of rotation matrices, which change without jumps, `(..., 6)`.

    Reference: Zhou et al., "On the Continuity of Rotation Representations in Neural Networks",
    CVPR 2019.

    Args:
        rotations: Rotation matrices `(..., 3, 3)`.
    """
    return np.concatenate([rotations[..., 0], rotations[..., 1]], -1)


def from_six(six: np.ndarray) -> np.ndarray:
    """Return the rotation matrices `(..., 3, 3)` that six numbers stand for, whatever their length.

    Args:
        six: Two columns one after the other, `(..., 6)`.

    Raises:
        ValueError: The two columns are parallel or zero.
    """
    first, second = np.split(np.asarray(six, "float64"), 2, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = first / np.linalg.norm(first, axis=-1, keepdims=True)
        y = second - (x * second).sum(-1, keepdims=True) * x
        y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("Two columns that are parallel or zero stand for no rotation.")
    return np.stack([x, y, np.cross(x, y)], -1)
