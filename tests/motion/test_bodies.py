import dataclasses

import numpy as np
import pytest

from keras_dtl.motion import (
    BvhError,
    axis_rotation,
    body_of,
    features_of,
    forward_kinematics,
    heading,
    read_bvh,
    read_motion,
)
from keras_dtl.motion.bodies import lead_in_frames
from keras_dtl.motion.characters import angles_near
from tests.walking import BODY, t_pose, walking, with_first_frames, with_z_up

LEG = np.linalg.norm((9, 4)) + 44 + 41 + np.linalg.norm((6, 13))


def test_a_body_in_plain_words():
    body = body_of(walking())
    assert body.skeleton.names == tuple(BODY) and body.up == "y" and body.lead_in == 0
    assert body.skeleton.leg == pytest.approx(LEG)
    np.testing.assert_allclose(body.skeleton.offsets, [o for _, o, _ in BODY.values()], atol=1e-9)
    np.testing.assert_allclose(np.degrees(heading(body.positions, body.skeleton)), 0, atol=3)


def test_z_up_is_read_from_the_rest_pose():
    turned, expected = body_of(with_z_up(walking(turned=30))), body_of(walking(turned=30))
    assert (turned.up, expected.up) == ("z", "y")
    np.testing.assert_allclose(turned.positions, expected.positions, atol=1e-9)
    np.testing.assert_allclose(turned.skeleton.offsets, expected.skeleton.offsets, atol=1e-9)


def root_turned(bvh, degrees, moved):
    """Return a clip that is turned about x as a whole, path and all where it is moved."""
    values, turn = bvh.values.copy(), axis_rotation(0, np.radians(degrees))
    if moved:
        values[:, :3] = values[:, :3] @ turn.T
    _, rotations = forward_kinematics(bvh)
    values[:, 3:6] = angles_near(turn @ rotations[:, 0], [2, 0, 1], values[:, 3:6])
    return dataclasses.replace(bvh, values=values)


def test_a_clip_that_stands_on_the_ground_of_another_axis_is_turned():
    # The rest pose of such a file has y up, its motion z.
    body = body_of(root_turned(walking(), 90, moved=True))
    assert body.up == "z"
    np.testing.assert_allclose(body.positions, body_of(walking()).positions, atol=1e-6)


def test_who_lies_all_the_time_lies():
    lying = root_turned(walking(), -90, moved=False)
    values = lying.values.copy()
    values[:, 1], values[:, 2] = 12, 94
    body = body_of(dataclasses.replace(lying, values=values))
    assert body.up == "y"
    assert np.ptp(body.positions[..., 1], axis=1).max() < 0.7 * LEG
    assert body.skeleton.leg == pytest.approx(LEG)


def test_rest_poses_that_are_none_leave_it_to_the_clip():
    bvh = walking()
    places, rotations = forward_kinematics(bvh)
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(len(BODY), 3, 3)))[0]
    axes *= np.linalg.det(axes)[:, None, None]
    axes[0] = np.eye(3)
    own = rotations @ axes  # each joint has axes of its own
    joints, columns = [], [bvh.values[:, :3]]
    for index, joint in enumerate(bvh.joints):
        above = own[:, joint.parent] if index else np.tile(np.eye(3), (len(own), 1, 1))
        local = np.swapaxes(above, 1, 2) @ own[:, index]
        columns.append(angles_near(local, [2, 0, 1], np.zeros((len(own), 3))))
        offset = axes[joint.parent].T @ joint.offset if index else np.zeros(3)
        joints.append(dataclasses.replace(joint, offset=tuple(map(float, offset))))
    values = np.concatenate(columns, 1)
    body = body_of(dataclasses.replace(bvh, joints=tuple(joints), values=values))
    assert body.up == "y"
    np.testing.assert_allclose(body.positions, places, atol=1e-6)
    assert body.skeleton.leg == pytest.approx(LEG)


@pytest.mark.parametrize("first", ["T-pose at the origin", "lies on its back", "faces back"])
@pytest.mark.parametrize("count", [1, 15])
def test_a_first_pose_changes_neither_facing_nor_scale_nor_path(first, count):
    clip = walking(turned=90)
    clip.values[:, 0] += 300
    pose = t_pose(clip) if first == "T-pose at the origin" else clip.values[0].copy()
    if first == "lies on its back":
        pose[:6] = (300, 10, 0, 0, -90, 0)
    if first == "faces back":
        pose = t_pose(clip)
        pose[[0, 5]] = (300, -90)
    begun = with_first_frames(clip, pose, count)
    assert body_of(begun).lead_in == count
    (found, skeleton, _), (expected, own, _) = read_motion(begun), read_motion(clip)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert skeleton.leg == pytest.approx(own.leg)
    np.testing.assert_allclose(features_of(found, skeleton), features_of(expected, own), atol=1e-6)


def test_steps_of_a_clip_are_no_jumps():
    body = body_of(walking(rate=15.0))
    assert lead_in_frames(body.positions, LEG) == 0
    still = np.repeat(body.positions[:1], 20, 0)
    assert lead_in_frames(still, LEG) == 0
    # A cut in the middle of what moves before it is part of the clip.
    cut = body.positions.copy()
    cut[10:] += 500
    assert lead_in_frames(cut, LEG) == 0


def like_cmu():
    """Return the body with joints that end bones of no length, and names of that set."""
    joints = {}
    for name, (parent, offset, end) in BODY.items():
        if name in ("LeftUpLeg", "RightUpLeg"):
            joints[f"{name[0]}HipJoint"] = ("Hips", (0, 0, 0), None)
            parent = f"{name[0]}HipJoint"
        if name == "Spine":
            joints["LowerBack"] = ("Hips", (0, 0, 0), None)
            parent = "LowerBack"
        joints[name] = (parent, offset, end)
    return joints


def test_bones_of_no_length_are_merged():
    merged, expected = body_of(walking(body=like_cmu())), body_of(walking())
    assert merged.skeleton == expected.skeleton
    np.testing.assert_allclose(merged.positions, expected.positions, atol=1e-9)
    nothing = {name: (parent, (0, 0, 0), end) for name, (parent, _, end) in BODY.items()}
    with pytest.raises(BvhError, match="all bones have no length"):
        body_of(walking(body=nothing))


def test_other_names_and_further_joints_are_the_same_body():
    model = body_of(walking()).skeleton
    further = {**BODY, "LeftHandThumb1": ("LeftHand", (3, 0, 2), (2, 0, 0))}
    moved = walking(body=further, rename="mixamorig:{}".format, scale=0.6)
    body = body_of(moved, model)
    assert body.skeleton.names == model.names and len(body.joints) == len(BODY)
    assert body.skeleton.leg == pytest.approx(0.6 * model.leg)
    np.testing.assert_allclose(
        features_of(body.positions, body.skeleton),
        features_of(body_of(walking()).positions, model),
        atol=1e-5,
    )
    with pytest.raises(BvhError) as raised:
        body_of(walking(rename=lambda name: name.replace("Head", "Antenna")), model)
    assert "missing Head; unknown Antenna" in str(raised.value)
    assert str(raised.value).count("RightForeArm") == 2  # both lists


@pytest.mark.data
def test_real_files_stand_upright_and_begin_as_they_go_on(data_folder):
    for path in sorted((data_folder / "bandai_mocap" / "bvh").glob("*.bvh")):
        body = body_of(read_bvh(path))
        assert (body.up, body.lead_in) == ("y", 0), path.name
