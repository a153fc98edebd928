import dataclasses

import numpy as np
import pytest

from keras_dtl.motion import (
    axis_rotation,
    body_of,
    features_of,
    fit_motion,
    forward_kinematics,
    heading,
    positions_of,
    read_bvh,
    read_motion,
)
from keras_dtl.motion.characters import angles_near
from keras_dtl.motion.kinematics import aligning_rotations
from tests.motion.test_bodies import like_cmu
from tests.walking import BODY, t_pose, walking, with_first_frames, with_z_up

THUMB = {"LeftHandThumb1": ("LeftHand", (3, 0, 2), (2, 0, 0))}


def thumbed(body=BODY, **changes):
    """Return a walk of a character with a thumb that moves and that no model knows."""
    bvh = walking(body={**body, **THUMB}, **changes)
    bvh.values[:, -2] = np.linspace(0, 40, len(bvh.values))
    return bvh


def model():
    return body_of(walking()).skeleton


def local(bvh, name):
    """Return how a joint is turned against the one above, `(frames, 3, 3)`."""
    index = bvh.names.index(name)
    _, turns = forward_kinematics(bvh)
    return np.swapaxes(turns[:, bvh.joints[index].parent], 1, 2) @ turns[:, index]


@pytest.mark.parametrize("rate", [30.0, 60.0, 24.0, 120.0])
@pytest.mark.parametrize("change", [lambda bvh: bvh, with_z_up])
def test_the_same_motion_gives_the_same_file(rate, change):
    bvh = change(thumbed(frames=75, rate=rate, turned=50))
    positions, _, _ = read_motion(bvh, model(), 30.0)
    result = fit_motion(body_of(bvh, model()), positions, 30.0)
    assert (result.joints, result.frame_time) == (bvh.joints, bvh.frame_time)
    np.testing.assert_allclose(result.values, bvh.values, atol=1e-5)


def test_features_and_back_give_the_same_file():
    bvh = with_z_up(thumbed(turned=50))
    positions, skeleton, _ = read_motion(bvh, model())
    facing = heading(positions, skeleton)[0]
    again = positions_of(
        features_of(positions, skeleton), skeleton, positions[0, 0, [0, 2]], facing
    )
    result = fit_motion(body_of(bvh, model()), again, 30.0)
    np.testing.assert_allclose(result.values, bvh.values, atol=0.02)


@pytest.mark.parametrize("body", [BODY, like_cmu()])
@pytest.mark.parametrize("change", [lambda bvh: bvh, with_z_up])
def test_bones_point_as_they_are_told_and_the_rest_keeps_its_motion(body, change):
    bvh = change(thumbed(body=body))
    # Another walk, which goes elsewhere, bent and turned about.
    other = walking(turned=70)
    other.values[:, 4] += 15
    wanted = read_motion(other)[0] + np.array([30.0, 5, -8])
    fitted = fit_motion(body_of(bvh, model()), wanted, 30.0)
    assert fitted.joints == bvh.joints
    np.testing.assert_allclose(read_motion(fitted, model())[0], wanted, atol=1e-4)
    for name in ("Head", "LeftHand", "RightToeBase", "LeftHandThumb1"):
        np.testing.assert_allclose(local(fitted, name), local(bvh, name), atol=1e-7)


def test_joints_above_the_pelvis_and_joints_of_few_channels_stay():
    bvh = walking()
    joints = [dataclasses.replace(joint, parent=joint.parent + 1) for joint in bvh.joints]
    joints[0] = dataclasses.replace(joints[0], channels=joints[0].channels[3:])
    knee = bvh.names.index("LeftLeg")
    joints[knee] = dataclasses.replace(joints[knee], channels=("Xrotation",))
    world = dataclasses.replace(bvh.joints[0], name="World", channels=bvh.joints[0].channels[:3])
    columns = [i for i in range(bvh.values.shape[1]) if i not in (3 + 3 * knee, 5 + 3 * knee)]
    carried = dataclasses.replace(
        bvh, joints=(world, *joints), values=bvh.values[:, columns].copy()
    )
    wanted = read_motion(carried)[0] + np.array([7.0, 0, 9])
    fitted = fit_motion(body_of(carried), wanted, 30.0)
    np.testing.assert_allclose(fitted.values[:, :3], carried.values[:, :3] + [7, 0, 9], atol=1e-6)
    np.testing.assert_allclose(fitted.values[:, 3:], carried.values[:, 3:], atol=1e-5)


def test_the_pose_at_the_begin_stays_or_is_cut():
    clip = walking(turned=90)
    begun = with_first_frames(clip, t_pose(clip), 2)
    positions = read_motion(begun)[0]
    kept = fit_motion(body_of(begun), positions, 30.0).values
    np.testing.assert_allclose(kept, begun.values, atol=1e-5)
    cut = fit_motion(body_of(begun), positions, 30.0, lead_in=False).values
    np.testing.assert_allclose(cut, clip.values, atol=1e-5)


@pytest.mark.data
def test_real_clips_come_back_as_they_were(data_folder):
    for path in sorted((data_folder / "bandai_mocap" / "bvh").glob("*.bvh"))[::5]:
        bvh = read_bvh(path)
        positions, skeleton, rate = read_motion(bvh)
        features = features_of(positions, skeleton)
        facing = heading(positions, skeleton)[0]
        again = positions_of(features, skeleton, positions[0, 0, [0, 2]], facing)
        fitted = fit_motion(body_of(bvh), again, rate)
        assert fitted.joints == bvh.joints
        difference = forward_kinematics(fitted)[0] - forward_kinematics(bvh)[0]
        assert np.abs(difference).max() < 0.05, path.name  # cm


@pytest.mark.parametrize("axes", [(2, 0, 1), (0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0)])
def test_angles_in_any_order_near_to_others(axes):
    angles = np.random.default_rng(0).uniform(-400, 400, (50, 3))
    angles[0, 1] = 90  # where the two others turn about one axis
    turns = [axis_rotation(a, np.radians(column)) for a, column in zip(axes, angles.T, strict=True)]
    turns = turns[0] @ turns[1] @ turns[2]
    found = angles_near(turns, list(axes), angles)
    np.testing.assert_allclose(found[1:], angles[1:], atol=1e-6)
    again = [axis_rotation(a, np.radians(column)) for a, column in zip(axes, found.T, strict=True)]
    np.testing.assert_allclose(again[0] @ again[1] @ again[2], turns, atol=1e-7)


@pytest.mark.parametrize("degrees", [0, 90, 179.999, 180])
def test_a_single_bone_is_laid_on_any_direction_by_the_smallest_turn(degrees):
    angle = np.radians(degrees)
    rest, now = np.array([[[0, 2, 0]]]), np.array([[[0, np.cos(angle), np.sin(angle)]]])
    turn = aligning_rotations(rest, now)[0]
    np.testing.assert_allclose(turn @ rest[0, 0] / 2, now[0, 0], atol=1e-9)
    assert np.trace(turn) == pytest.approx(1 + 2 * np.cos(angle))
