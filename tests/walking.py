"""A small walking character as a `Bvh`, in the conventions of several programs."""

import dataclasses

import numpy as np

from keras_dtl.motion import Bvh, Joint

# Name: parent, place from there in centimetres, end site. Faces z, x is to its left.
BODY = {
    "Hips": (None, (0, 0, 0), None),
    "LeftUpLeg": ("Hips", (9, -4, 0), None),
    "LeftLeg": ("LeftUpLeg", (0, -44, 0), None),
    "LeftFoot": ("LeftLeg", (0, -41, 0), None),
    "LeftToeBase": ("LeftFoot", (0, -6, 13), (0, 0, 7)),
    "RightUpLeg": ("Hips", (-9, -4, 0), None),
    "RightLeg": ("RightUpLeg", (0, -44, 0), None),
    "RightFoot": ("RightLeg", (0, -41, 0), None),
    "RightToeBase": ("RightFoot", (0, -6, 13), (0, 0, 7)),
    "Spine": ("Hips", (0, 11, 0), None),
    "Spine1": ("Spine", (0, 21, 0), None),
    "Neck": ("Spine1", (0, 23, 0), None),
    "Head": ("Neck", (0, 9, 1), (0, 19, 0)),
    "LeftShoulder": ("Spine1", (5, 17, 0), None),
    "LeftArm": ("LeftShoulder", (12, 0, 0), None),
    "LeftForeArm": ("LeftArm", (27, 0, 0), None),
    "LeftHand": ("LeftForeArm", (25, 0, 0), (9, 0, 0)),
    "RightShoulder": ("Spine1", (-5, 17, 0), None),
    "RightArm": ("RightShoulder", (-12, 0, 0), None),
    "RightForeArm": ("RightArm", (-27, 0, 0), None),
    "RightHand": ("RightForeArm", (-25, 0, 0), (-9, 0, 0)),
}
PLACES = ("Xposition", "Yposition", "Zposition")
TURNS = ("Zrotation", "Xrotation", "Yrotation")
# What a character that has y up is in a file that has z up: (x, y, z) becomes (x, -z, y).
_Z_UP = {"X": ("X", 1), "Y": ("Z", 1), "Z": ("Y", -1)}


def walking(frames=60, rate=30.0, body=BODY, scale=1.0, turned=0.0, rename=str):
    """Return a walk straight ahead, which faces `turned` degrees to the left of z."""
    times = np.arange(frames) / rate
    columns, names = [], tuple(body)
    joints = []
    for index, (name, (parent, offset, end)) in enumerate(body.items()):
        place = tuple(float(scale * value) for value in offset)
        end = None if end is None else tuple(float(scale * value) for value in end)
        above = -1 if parent is None else names.index(parent)
        channels = TURNS if parent else (*PLACES, *TURNS)
        joints.append(Joint(rename(name), above, place, channels, end))
        if parent is None:
            way = np.radians(turned)
            path = 110 * times[:, None] * [np.sin(way), 0, np.cos(way)] + np.array([0, 94, 0])
            columns += list((scale * path).T)
        columns += list(_angles(name, times, turned if index == 0 else 0.0))
    return Bvh(tuple(joints), np.stack(columns, 1), 1.0 / rate)


def _angles(name, times, turned):
    """Return angles about z, x and y in degrees, each an array of one value a frame."""
    sign = -1.0 if name.startswith("Right") else 1.0
    wave, zero = sign * np.sin(2 * np.pi * times), np.zeros_like(times)
    part = name.removeprefix("Left").removeprefix("Right")
    return {
        "Hips": (zero, zero, zero + turned),
        "UpLeg": (zero, -24 * wave, 3 * wave),
        "Leg": (zero, 20 + 18 * wave, zero),
        "Arm": (zero - 68 * sign, 21 * wave, 5 * wave),
        "ForeArm": (zero, zero, -18 * sign + 4 * wave),
        "Hand": (6 * wave, zero, 9 * wave),
        "Head": (zero, 8 * wave, 24 * np.sin(np.pi * times)),
        "Spine": (zero, zero + 4, 3 * wave),
    }.get(part, (zero, zero, zero))


def with_z_up(bvh):
    """Return the same motion in a file of which z is the axis that is up."""
    signs, joints = [], []
    for joint in bvh.joints:
        changed = [_Z_UP[channel[0]] for channel in joint.channels]
        signs += [sign for _, sign in changed]
        channels = tuple(a + c[1:] for (a, _), c in zip(changed, joint.channels, strict=True))
        places = {"offset": _to_z_up(joint.offset), "end": joint.end and _to_z_up(joint.end)}
        joints.append(dataclasses.replace(joint, channels=channels, **places))
    return dataclasses.replace(bvh, joints=tuple(joints), values=bvh.values * signs)


def _to_z_up(place):
    return (place[0], -place[2], place[1])


def with_first_frames(bvh, values, count=1):
    """Return a clip that begins with a pose, held for some frames."""
    return dataclasses.replace(bvh, values=np.concatenate([[values] * count, bvh.values]))


def t_pose(bvh, height=94.0):
    """Return the values of a frame at the origin in which nothing is turned."""
    values = np.zeros(bvh.values.shape[1])
    values[1] = height
    return values
