import dataclasses
import time
import tracemalloc

import numpy as np
import pytest

from keras_dtl.motion import (
    BvhError,
    axis_rotation,
    format_bvh,
    forward_kinematics,
    parse_bvh,
    read_bvh,
    write_bvh,
)
from keras_dtl.motion.kinematics import zxy_angles

TEXT = """HIERARCHY
ROOT Hips
{
  OFFSET 0 1.5 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Leg_L
  {
    OFFSET 1 -2 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -1 1.87007e-05
    }
  }
  JOINT Leg_R
  {
    OFFSET -1 -2 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 0 -1 0
    }
  }
}
MOTION
Frames:\t2
Frame Time:\t0.0333333
0.000000 1.500000 -0.000000 90.000000 0.100000 0.000000 10.5 20.25 -30.125 1.0 2.0 3.0
0.1 1.6 0.2 0.0 0.0 45.0 4.522390 92.280400 175.433 -4 -5 -6
"""


def test_reading_and_writing_loses_nothing(tmp_path):
    bvh = parse_bvh(TEXT)
    write_bvh(tmp_path / "a.bvh", bvh)
    again = read_bvh(tmp_path / "a.bvh")
    assert again.joints == bvh.joints and again.frame_time == bvh.frame_time
    np.testing.assert_array_equal(again.values, bvh.values)
    assert format_bvh(again) == format_bvh(bvh)
    assert "0.000000 1.500000 -0.000000 90.000000 0.100000" in format_bvh(bvh)


def test_positions_by_hand():
    bvh = parse_bvh(TEXT)
    values = np.zeros_like(bvh.values)
    values[:, :4] = (5, 6, 7, 90)  # root moved, and turned about z
    positions, rotations = forward_kinematics(dataclasses.replace(bvh, values=values))
    np.testing.assert_allclose(positions[0], [(5, 6, 7), (7, 7, 7), (7, 5, 7)], atol=1e-12)
    np.testing.assert_allclose(rotations[0, 1], axis_rotation(2, np.pi / 2), atol=1e-12)


def test_positions_as_an_independent_reader_has_them(tmp_path):
    pybvh = pytest.importorskip("pybvh")
    bvh = parse_bvh(TEXT)
    write_bvh(tmp_path / "a.bvh", bvh)
    theirs = pybvh.read_bvh_file(tmp_path / "a.bvh")
    names = [joint.name for joint in bvh.joints]
    expected = np.asarray(theirs.joint_positions())
    np.testing.assert_allclose(forward_kinematics(bvh)[0], expected[:, : len(names)], atol=1e-4)


def test_rotations_as_angles():
    angles = np.random.default_rng(0).uniform(-3, 3, (3, 20))
    turns = axis_rotation(2, angles[0]) @ axis_rotation(0, angles[1] / 2)
    turns = turns @ axis_rotation(1, angles[2])
    z, x, y = np.radians(zxy_angles(turns)).T
    again = axis_rotation(2, z) @ axis_rotation(0, x) @ axis_rotation(1, y)
    np.testing.assert_allclose(again, turns, atol=1e-9)
    locked = axis_rotation(2, 0.3) @ axis_rotation(0, np.pi / 2) @ axis_rotation(1, 0.4)
    z, x, y = np.radians(zxy_angles(locked))
    again = axis_rotation(2, z) @ axis_rotation(0, x) @ axis_rotation(1, y)
    np.testing.assert_allclose(again, locked, atol=1e-6)


DAMAGED = {
    "nothing": ("", "cut"),
    "no BVH": ("hello", "expected 'HIERARCHY'"),
    "cut in the skeleton": (TEXT[:200], "cut|received"),
    "cut in the motion": (TEXT[:-20], "a frame needs 12 numbers, received"),
    "missing frames": (TEXT[: TEXT.rindex("0.1 1.6")], "2 frames are announced, 1 are there"),
    "NaN": (TEXT.replace("-30.125", "nan"), "Leg_L Yrotation is nan"),
    "no number": (TEXT.replace("-30.125", "x"), "no number"),
    "no time": (TEXT.replace("0.0333333", "0"), "above 0"),
    "tiny time": (TEXT.replace("0.0333333", "1e-300"), "0.0001 to 60 seconds, received 1e-300"),
    "long time": (TEXT.replace("0.0333333", "1e9"), "0.0001 to 60 seconds, received 1e.09"),
    "huge number": (TEXT.replace("-30.125", "1e300"), "line 28: Leg_L Yrotation is 1e.300"),
    "huge offset": (TEXT.replace("1 -2 0", "1 -2e200 0", 1), "line 8: an offset is -2e.200"),
    "many frames": (TEXT.replace("Frames:\t2", "Frames:\t99999999"), "shorter files"),
    "endless line": (TEXT + "1 " * 2**22, "letters or more"),
    "no frames": (TEXT.replace("Frames:\t2", "Frames:\t0"), "1 or more"),
    "two of a name": (TEXT.replace("Leg_R", "Leg_L"), "several joints are called Leg_L"),
    "channels": (TEXT.replace("CHANNELS 3 Z", "CHANNELS 4 Z"), "as many channels"),
    "channel": (TEXT.replace("3 Zrotation", "3 Wrotation"), "no known name"),
    "offset": (TEXT.replace("1 -2 0", "1 inf 0"), "finite number"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_say_what_is_wrong(name, tmp_path):
    text, message = DAMAGED[name]
    (tmp_path / "a.bvh").write_text(text)
    with pytest.raises(BvhError, match=message) as raised:
        read_bvh(tmp_path / "a.bvh")
    assert str(raised.value).startswith("a.bvh: ")


WRITTEN = {
    "channels first": TEXT.replace(
        """    OFFSET 1 -2 0
    CHANNELS 3 Zrotation Xrotation Yrotation
""",
        """    CHANNELS 3 Zrotation Xrotation Yrotation
    OFFSET 1 -2 0
""",
    ),
    "braces on the line before": TEXT.replace("\n{", " {").replace("\n  {", "{"),
    "all braces on lines of others": TEXT.replace("\n      {\n", " { ").replace("\n    }", " }"),
    "line ends of an old Mac": TEXT.replace("\n", "\r"),
    "blank lines and a mark": "\ufeff" + TEXT.replace("\n", "\n\n"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_other_ways_of_writing_mean_the_same(name):
    assert WRITTEN[name] != TEXT
    found, expected = parse_bvh(WRITTEN[name]), parse_bvh(TEXT)
    assert (found.joints, found.frame_time) == (expected.joints, expected.frame_time)
    np.testing.assert_array_equal(found.values, expected.values)


def with_frames(count):
    text = TEXT[: TEXT.index("Frames:")] + f"Frames: {count}\nFrame Time: 0.01\n"
    return (text + count * (" ".join(["-12.345678"] * 12) + "\n")).encode()


def test_reading_takes_little_more_memory_than_the_text():
    data = with_frames(8000)  # a megabyte, and 0.8 of numbers
    tracemalloc.start()
    parse_bvh(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2.5 * len(data)


def chain(count):
    joints = "".join(f"JOINT j{i} {{ OFFSET 0 1 0\nCHANNELS 0\n" for i in range(count))
    head = "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
    return f"{head}{joints}{'}' * (count + 1)}\nMOTION\nFrames: 1\nFrame Time: 0.03\n0 0 0\n"


def seconds(function, *values):
    begun = time.process_time()
    function(*values)
    return time.process_time() - begun


def test_long_chains_of_joints_take_no_longer_a_joint():
    few, many = chain(1000), chain(8000)
    assert parse_bvh(format_bvh(parse_bvh(few))).names == parse_bvh(few).names
    short = min(seconds(parse_bvh, few) for _ in range(3))
    # Eight times as many joints took 64 times as long.
    assert min(seconds(parse_bvh, many) for _ in range(2)) < 30 * max(short, 1e-3)
    assert len(format_bvh(parse_bvh(many))) < 400 * 8000


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a.bvh").write_bytes(b"\xff\xfe\x00\x9f")
    with pytest.raises(BvhError, match="no text file"):
        read_bvh(tmp_path / "a.bvh")


@pytest.mark.data
def test_real_files(data_folder):
    archive = np.load(data_folder / "bandai_mocap" / "bandai2_subset.npz")
    paths = sorted((data_folder / "bandai_mocap" / "bvh").glob("*.bvh"))
    assert paths
    for path in paths:
        bvh = read_bvh(path)
        lines = path.read_text().splitlines()[-len(bvh.values) :]
        ours = format_bvh(bvh).splitlines()[-len(bvh.values) :]
        assert [line.split() for line in lines] == [line.split() for line in ours]
        clip = list(archive["name"]).index(path.stem)
        part = slice(*archive["offsets"][clip : clip + 2])
        expected = archive["positions"][part] + archive["root"][part][:, None]
        positions = forward_kinematics(bvh)[0]
        assert np.abs(positions[:, 1:] - expected[:, 1:]).max() < 0.033  # rounded to float16
