import dataclasses

import numpy as np
import pytest

from keras_dtl.data.walker import walk, walker_skeleton
from keras_dtl.motion import (
    BvhError,
    Skeleton,
    axis_rotation,
    features_of,
    forward_kinematics,
    heading,
    mirror_motion,
    positions_of,
    read_motion,
    resample,
    to_bvh,
)
from tests.walking import BODY, walking

SKELETON = walker_skeleton()


def clip(turn=0.0):
    positions = walk(1.0, 0.5, 0.2, 0.3, frames=60)
    return positions @ axis_rotation(1, turn).T


def test_features_and_back():
    positions = clip(0.7)
    again = positions_of(
        features_of(positions, SKELETON),
        SKELETON,
        positions[0, 0, [0, 2]],
        heading(positions, SKELETON)[0],
    )
    np.testing.assert_allclose(again, positions, atol=1e-2)


def test_features_do_not_know_where_one_walks_and_whereto():
    moved = clip(2.0) + np.array([100, 0, -50])
    np.testing.assert_allclose(
        features_of(moved, SKELETON), features_of(clip(), SKELETON), atol=1e-4
    )
    np.testing.assert_allclose(np.ptp(heading(clip(2.0), SKELETON)), 0, atol=1e-6)
    assert features_of(clip(), SKELETON)[:, -2].mean() > 0  # ahead


def test_bones_keep_their_length_whatever_the_features():
    noise = np.random.default_rng(0).normal(size=(9, SKELETON.num_features))
    positions = positions_of(noise, SKELETON)
    bones = positions[:, 1:] - positions[:, list(SKELETON.parents[1:])]
    np.testing.assert_allclose(np.linalg.norm(bones, axis=-1), [SKELETON.lengths] * 9, rtol=1e-6)


def test_out_as_a_file_and_in_again():
    positions = clip(0.7)
    again, skeleton, rate = read_motion(to_bvh(positions, SKELETON, 30.0), SKELETON)
    assert skeleton.names == SKELETON.names and rate == pytest.approx(30)
    np.testing.assert_allclose(again, positions, atol=1e-6)


def test_mirror():
    twice = mirror_motion(mirror_motion(clip(), SKELETON), SKELETON)
    np.testing.assert_array_equal(twice, clip())
    shifted = walk(1.0, 0.5, 0.2, 0.3, frames=60, phase=np.pi)
    np.testing.assert_allclose(mirror_motion(clip(), SKELETON)[0], shifted[0], atol=1e-9)


def with_underscores(name):
    """Return names such as `upper_leg_l`, in which the sign of the left is more than once."""
    for side in ("Left", "Right"):
        if name.startswith(side):
            part = {"UpLeg": "upper_leg", "Leg": "lower_leg"}.get(name.removeprefix(side))
            return f"{part or name.removeprefix(side).lower()}_{side[0].lower()}"
    return name.lower()


def test_mirrored_bones_keep_their_length():
    body = {**BODY, "LeftForeArm": ("LeftArm", (35, 0, 0), None)}  # one arm is longer
    positions, skeleton, _ = read_motion(walking(body=body, rename=with_underscores))
    assert len(skeleton.pairs) == 8
    mirrored = mirror_motion(positions, skeleton)
    bones = mirrored[:, 1:] - mirrored[:, list(skeleton.parents[1:])]
    found = np.linalg.norm(bones, axis=-1)
    np.testing.assert_allclose(found, [skeleton.lengths] * len(positions), rtol=1e-9)
    # A left arm that swings ahead is a right one that does.
    left, right = (skeleton.names.index(f"hand_{side}") for side in "lr")
    ahead = positions[:, left, 2] - positions[:, 0, 2]
    assert np.corrcoef(ahead, mirrored[:, right, 2] - mirrored[:, 0, 2])[0, 1] > 0.99
    np.testing.assert_allclose(heading(positions, skeleton), 0, atol=0.06)


def test_resampling_a_line_is_exact():
    line = np.linspace(0, 6, 61)[:, None, None] * np.ones((1, 2, 3))
    np.testing.assert_allclose(
        resample(line, 60.0, 30.0)[:, 0, 0], np.linspace(0, 6, 31), atol=1e-12
    )
    assert len(resample(line, 30.0, 60.0)) == 121
    with pytest.raises(BvhError, match="at least 15"):
        resample(line, 10.0, 30.0)


def test_bodies_that_cannot_be_used():
    with pytest.raises(BvhError, match="no length end at b"):
        Skeleton(("a", "b"), (-1, 0), ((0, 0, 0), (0, 0, 0)))
    with pytest.raises(BvhError, match="left and right"):
        Skeleton(("a", "b"), (-1, 0), ((0, 0, 0), (0, 1, 0)))
    other = to_bvh(clip(), SKELETON, 30.0)
    first = dataclasses.replace(other.joints[0], name="Tail")
    other = dataclasses.replace(other, joints=(first, *other.joints[1:]))
    with pytest.raises(BvhError, match=r"missing Hips; unknown Tail"):
        read_motion(other, SKELETON)
    flat = clip()
    flat[3, 2] = flat[3, 1]
    with pytest.raises(BvhError, match="bone to Neck has no length in frame 4"):
        features_of(flat, SKELETON)
    with pytest.raises(BvhError, match="2 frames"):
        features_of(clip()[:1], SKELETON)


def test_joints_above_the_pelvis_are_left_out():
    bvh = to_bvh(clip(), SKELETON, 30.0)
    joints = [dataclasses.replace(joint, parent=joint.parent + 1) for joint in bvh.joints]
    world = dataclasses.replace(bvh.joints[0], name="World", parent=-1, channels=())
    carried = dataclasses.replace(bvh, joints=(world, *joints))
    np.testing.assert_array_equal(read_motion(carried)[0], forward_kinematics(bvh)[0])
