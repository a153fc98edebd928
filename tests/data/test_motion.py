import dataclasses
import re

import numpy as np
import pytest

from keras_dtl.data.clips import split_clips, spread_cells
from keras_dtl.data.motion import load_motion, statistics_of, windows_of
from keras_dtl.data.motion_check import describe_motion
from keras_dtl.data.walker import measure_factors
from keras_dtl.motion import features_of, read_bvh, read_motion, to_bvh, write_bvh
from keras_dtl.recipes import RECIPES
from tests.walking import t_pose, walking, with_first_frames, with_z_up


@pytest.fixture(scope="module")
def clips():
    return load_motion("walker", clips_per_cell=4)


def test_walker_has_the_factors_that_it_says(clips):
    measured = np.array([measure_factors(positions) for positions in clips.positions])
    for column in range(4):
        assert np.corrcoef(measured[:, column], clips.factors[:, column])[0, 1] > 0.95, column
    np.testing.assert_allclose(measured[:, 0], clips.factors[:, 0], atol=0.05)


def test_walker_stands_on_the_ground_and_does_not_slide(clips):
    for positions in clips.positions[::5]:
        toes = positions[:, [13, 17]]
        np.testing.assert_allclose(toes[:, :, 1].min(1), 0, atol=1e-9)
        slip = np.abs(np.diff(toes[:, :, [0, 2]], axis=0)).max(2).min(1)
        np.testing.assert_allclose(slip, 0, atol=1e-9)  # one of both feet
        assert positions[-1, 0, 2] > positions[0, 0, 2] + 50


def test_splits_share_no_clip_and_keep_cells_apart(clips):
    split = split_clips(clips, 0.25, [("walk", "proud")])
    names = [set(part.names) for part in split]
    assert sum(map(len, names)) == len(set.union(*names)) == len(clips)
    assert {(a, s) for a, s in zip(split.held_out.actions, split.held_out.styles)} == {(1, 2)}
    assert not set(split.held_out.cells) & (set(split.train.cells) | set(split.test.cells))
    assert set(split.train.cells) == set(split.test.cells)
    with pytest.raises(ValueError, match="no cell"):
        split_clips(clips, 0.25, [("fly", "proud")])
    with pytest.raises(ValueError, match="left to learn the styles proud"):
        split_clips(clips, 0.25, [(action, "proud") for action in clips.action_names])


def test_windows(clips, caplog):
    windows = windows_of(clips, 40, 20)
    assert windows.features.shape == (3 * len(clips), 40, clips.skeleton.num_features)
    np.testing.assert_array_equal(windows.actions, clips.actions[windows.clips])
    assert len(windows_of(clips, 40, 20, mirror=True).features) == 6 * len(clips)
    clips.positions[0], kept = clips.positions[0][:30], clips.positions[0]
    assert len(windows_of(clips, 40, 20).features) == 3 * len(clips) - 3
    assert "1 of 36 clips are shorter" in caplog.text
    clips.positions[0] = kept
    with pytest.raises(ValueError, match="No clip has 1000"):
        windows_of(clips, 1000)


def test_statistics():
    mean, deviation = statistics_of(np.arange(12.0).reshape(2, 3, 2) * [1, 0])
    np.testing.assert_allclose(mean, [5, 0])
    np.testing.assert_allclose(deviation, [np.std([0, 2, 4, 6, 8, 10]), 0.02], rtol=1e-6)


def test_folder_of_files_leaves_out_what_is_damaged(clips, tmp_path, caplog):
    for index in (0, 10, 20):
        action = clips.action_names[clips.actions[index]]
        style = clips.style_names[clips.styles[index]]
        bvh = to_bvh(clips.positions[index], clips.skeleton, 30.0)
        write_bvh(tmp_path / f"x_{action}_{style}_{index}.bvh", bvh)
    (tmp_path / "y_walk_plain_1.bvh").write_text("HIERARCHY\nROOT")
    (tmp_path / "nameless.bvh").write_text("")
    loaded = load_motion(f"folder:{tmp_path}")
    assert len(loaded) == 3
    index = loaded.names.index("x_stroll_plain_0")
    np.testing.assert_allclose(loaded.positions[index], clips.positions[0], atol=1e-4)
    assert loaded.action_names[loaded.actions[index]] == "stroll"
    assert "y_walk_plain_1.bvh" in caplog.text and "nameless.bvh" in caplog.text
    assert caplog.text.count("y_walk_plain_1.bvh") == 1


def test_table_tells_labels(clips, tmp_path, caplog):
    for name in ("a", "b", "c"):
        bvh = to_bvh(clips.positions[0], clips.skeleton, 60.0)
        write_bvh(tmp_path / "sub" / f"{name}.bvh", bvh)
    table = "file,action,style\nsub/a.bvh,walk,old\nsub/b.bvh,walk,\n"
    (tmp_path / "clips.csv").write_text(table)
    loaded = load_motion(f"bvh:{tmp_path}")
    assert loaded.names == ("a",) and loaded.style_names == ("old",)
    assert len(loaded.positions[0]) == 48  # of 96 frames, at half the rate
    assert "b.bvh: clips.csv tells no" in caplog.text and "c.bvh" in caplog.text
    (tmp_path / "clips.csv").write_text("file,action\n")
    with pytest.raises(ValueError, match="lacks the columns style"):
        load_motion(f"bvh:{tmp_path}")


def write_clips(folder, **bvhs):
    for name, bvh in bvhs.items():
        write_bvh(folder / "walk" / name / "1.bvh", bvh)
    return f"bvh:{folder}"


def test_bodies_of_all_sizes_and_axes_are_learnt_as_they_are_converted(tmp_path, caplog):
    kinds = {"adult": walking(), "child": walking(scale=0.6), "metres": walking(scale=0.01)}
    kinds |= {
        "z_up": with_z_up(walking()),
        "begun": with_first_frames(walking(), t_pose(walking())),
    }
    loaded = load_motion(write_clips(tmp_path, **kinds))
    windows = windows_of(loaded, 48, 12)
    expected = windows.features[windows.clips == loaded.names.index("1")]
    for index, style in enumerate(loaded.style_names):
        learnt = windows.features[windows.clips == index]
        np.testing.assert_allclose(learnt, expected, atol=1e-5, err_msg=style)
        bvh = read_bvh(tmp_path / "walk" / style / "1.bvh")
        converted = features_of(*read_motion(bvh, loaded.skeleton, 30.0)[:2])
        np.testing.assert_allclose(converted[:48], learnt[0], atol=1e-5, err_msg=style)
    # The pelvis is 94 above the ground on a leg of 109.
    assert expected[..., -4].mean() == pytest.approx(94 / loaded.skeleton.leg)
    assert (
        "1 files begin with a pose, which is cut (--lead-in-frames 0 keeps it): 1.bvh (1 f"
        in caplog.text
    )
    assert "1 files have another axis than y up, and are turned: 1.bvh" in caplog.text


def write_named(folder, names):
    bvh = walking(frames=20)
    for name in names:
        write_bvh(folder / name, bvh)
    return f"bvh:{folder}"


def test_folders_tell_labels_before_names_do(tmp_path, caplog):
    names = ["run/old/a_walk_young_1.bvh", "walk/old/b.BVH"]
    loaded = load_motion(write_named(tmp_path, names))
    assert (loaded.action_names, loaded.style_names) == (("run", "walk"), ("old",))
    assert "guessed" not in caplog.text


@pytest.mark.parametrize(
    ("names", "actions", "styles"),
    [
        (["set_run_angry_001.bvh", "set_walk_old_02.BVH"], ("run", "walk"), ("angry", "old")),
        (["Old/Old_FW.bvh", "Shy/Shy_Side_Step.bvh"], ("FW", "Side_Step"), ("Old", "Shy")),
        (["all/x_run_angry_1.bvh", "all/x_run_old_1.bvh"], ("run",), ("angry", "old")),
    ],
)
def test_guesses_from_names_are_printed(names, actions, styles, tmp_path, caplog):
    loaded = load_motion(write_named(tmp_path, names))
    assert (loaded.action_names, loaded.style_names) == (actions, styles)
    assert "guessed from file names" in caplog.text and "clips.csv" in caplog.text
    assert f"Actions: {', '.join(actions)}. Styles: {', '.join(styles)}." in caplog.text


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["angry_01_000.bvh", "shy_13_001.bvh"], "the style '01', and numbers are neither"),
        (["07/07_01.bvh", "08/08_02.bvh"], "the action '01' and the style '07'"),
        (["001_Shy_0_x_1_0.bvh"], "the style '1'"),
        (["all/07/07_01.bvh", "all/08/08_02.bvh"], "the action 'all' and the style '07'"),
        (["x_walk_take1_1.bvh", "x_run_take2_2.bvh"], "the styles would be take1, take2, which"),
        (["x_clip03_old_1.bvh", "x_clip04_shy_2.bvh"], "the actions would be clip03, clip04, whi"),
        (["walk1_subject1.bvh"], "could be used.*expected ..._ACTION_STYLE_NUMBER"),
        (["Sad Walk.bvh"], "could be used.*clips.csv"),
        (["happy/a_fast_take_01.bvh", "sad/a_fast_take_01.bvh"], "happy tells either its action"),
    ],
)
def test_names_that_tell_no_labels_are_refused_with_the_way_out(names, message, tmp_path):
    with pytest.raises(ValueError, match=message) as raised:
        load_motion(write_named(tmp_path, names))
    assert "ACTION/STYLE/" in str(raised.value)


def test_fifteen_frames_a_second_are_enough_and_fewer_say_what_to_do(tmp_path):
    source = write_clips(tmp_path, old=walking(frames=20, rate=1 / 0.066667))
    assert len(load_motion(source).positions[0]) == 39
    source = write_clips(tmp_path, old=walking(frames=20, rate=12.0))
    with pytest.raises(ValueError, match=r"12 frames a second; at least 15 .*--rate 24 or less"):
        load_motion(source)
    assert len(load_motion(source, 24.0).positions[0]) == 39


def test_what_a_folder_would_be_taken_for(tmp_path):
    kinds = {"old": walking(), "shy": with_z_up(walking(rate=60.0))}
    write_clips(tmp_path, **kinds, begun=with_first_frames(walking(), t_pose(walking()), 2))
    (tmp_path / "walk" / "old" / "cut.bvh").write_text("HIERARCHY")
    found = describe_motion(tmp_path)
    assert (found.files, found.frames, found.labels, found.problem) == (
        4,
        (62, 60, 60),
        "folders",
        "",
    )
    assert (found.up, found.rates) == ({"y": 2, "z": 1}, {30.0: 2, 60.0: 1})
    assert found.actions == {"walk": 4} and found.styles == {"old": 2, "shy": 1, "begun": 1}
    assert found.skeletons == {walking().names: 3}
    assert found.lead_ins == {"walk/begun/1.bvh": 2}
    assert list(found.unreadable) == ["walk/old/cut.bvh"]
    assert "up axis: y (2), z (1); frames a second: 30.0 (2), 60.0 (1)" in found.lines()
    assert found.lines()[0] == "4 BVH files, 182 frames, 60 to 62 in each"
    one = describe_motion(tmp_path / "walk" / "shy" / "1.bvh")
    assert one.files == 1 and "tells no action" not in one.labels and "1.bvh" in one.problem
    with pytest.raises(FileNotFoundError):
        describe_motion(tmp_path / "nowhere")


def test_frames_of_a_known_pose_are_left_out_whether_the_clip_jumps_or_not(tmp_path):
    clip = walking()
    # It rises from a pose that it does not jump from.
    shares = np.linspace(0, 1, 12)[:, None]
    rising = dataclasses.replace(clip, values=t_pose(clip) * (1 - shares) + clip.values[0] * shares)
    values = np.concatenate([rising.values, clip.values])
    source = write_clips(tmp_path, old=dataclasses.replace(clip, values=values))
    counts = [len(load_motion(source, lead_in=lead_in).positions[0]) for lead_in in (None, 0, 12)]
    assert counts == [72, 72, 60]
    np.testing.assert_allclose(
        load_motion(source, lead_in=12).positions[0], read_motion(clip)[0], atol=1e-4
    )
    assert describe_motion(tmp_path, lead_in=12).lead_ins == {"walk/old/1.bvh": 12}
    with pytest.raises(ValueError, match="a lead-in of 72 leaves none"):
        load_motion(source, lead_in=72)
    source = write_clips(tmp_path, old=with_first_frames(clip, t_pose(clip)))
    counts = [len(load_motion(source, lead_in=lead_in).positions[0]) for lead_in in (None, 0)]
    assert counts == [60, 61]


def test_files_that_are_no_bvh_are_named(tmp_path, caplog):
    source = write_clips(tmp_path, old=walking(frames=4))
    (tmp_path / "walk" / "old" / "2.fbx").write_bytes(b"")
    (tmp_path / "clips.csv").write_text("file,action,style\nwalk/old/1.bvh,walk,old\n")
    load_motion(source)
    assert "1 files are no BVH files and are left out: 2.fbx" in caplog.text
    assert "left out: 1 (no BVH file): 2.fbx" in describe_motion(tmp_path).lines()


def test_files_whose_left_and_right_are_exchanged_are_named(tmp_path, caplog):
    other = {"Left": "Right", "Right": "Left"}
    swapped = walking(rename=lambda name: re.sub("^(Left|Right)", lambda m: other[m[1]], name))
    source = write_clips(tmp_path, old=walking(turned=200), shy=swapped)
    load_motion(source)
    assert "1 files have a fault: toes point backwards: left and right are exch" in caplog.text
    assert describe_motion(tmp_path).mirrored == ("walk/shy/1.bvh",)
    assert any("shy/1.bvh: toes point backwards" in x for x in describe_motion(tmp_path).lines())


def test_archive_of_clips(clips, tmp_path):
    world = np.concatenate(clips.positions[:2])
    positions = np.concatenate([np.zeros((len(world), 1, 3)), world - world[:, :1]], 1)
    arrays = {
        "positions": positions.astype("float16"),
        "root": world[:, 0],
        "offsets": [0, 96, 192],
        "action": [0, 1],
        "style": [1, 0],
        "action_names": ["walk", "run"],
        "style_names": ["old", "young"],
        "name": ["a", "b"],
        "joint_names": ["World", *clips.skeleton.names],
        "parents": [-1, *(parent + 1 for parent in clips.skeleton.parents)],
        "fps": 30,
    }
    np.savez(tmp_path / "clips.npz", **arrays)
    loaded = load_motion(f"npz:{tmp_path / 'clips.npz'}")
    np.testing.assert_allclose(loaded.positions[1], clips.positions[1], atol=0.1)
    assert loaded.skeleton.names == clips.skeleton.names and loaded.names == ("a", "b")
    np.testing.assert_allclose(loaded.skeleton.lengths, clips.skeleton.lengths, rtol=0.01)
    arrays["positions"][96:] *= 0.5
    arrays["root"] = np.concatenate([world[:96, 0], 0.5 * world[96:, 0]])
    np.savez(tmp_path / "clips.npz", **arrays)
    child = load_motion(f"npz:{tmp_path / 'clips.npz'}")
    heights = [clip[:, 0, 1].mean() for clip in child.positions]
    assert heights[1] / heights[0] == pytest.approx(
        clips.positions[1][:, 0, 1].mean() / clips.positions[0][:, 0, 1].mean(), rel=1e-3
    )
    del arrays["fps"]
    np.savez(tmp_path / "clips.npz", **arrays)
    with pytest.raises(ValueError, match="lacks fps"):
        load_motion(f"npz:{tmp_path / 'clips.npz'}")


def test_held_out_cells_share_neither_action_nor_style(clips):
    cells = spread_cells(clips, 3)
    assert len({a for a, _ in cells}) == len({s for _, s in cells}) == 3
    assert spread_cells(clips, 3) == cells != spread_cells(clips, 3, seed=1)
    assert spread_cells(clips, 0) == []
    with pytest.raises(ValueError, match="4 cells .* cannot be held out"):
        spread_cells(clips, 4)
    split_clips(clips, 0.25, cells)


def test_what_is_left_without_clips_is_named(clips):
    walks = clips.subset(np.flatnonzero(clips.actions == 1))
    with pytest.raises(ValueError, match=r"the styles plain from: .*--held-out 0"):
        split_clips(walks, 0.25, [("walk", "plain")])
    diagonal = clips.subset([np.flatnonzero(clips.cells == cell)[0] for cell in (0, 4, 8)])
    with pytest.raises(ValueError, match="No clip is left to score on: each of the 3 is the only"):
        split_clips(diagonal)


def test_cells_of_one_clip_are_learnt_but_for_a_share(clips):
    single = clips.subset(np.unique(clips.cells, return_index=True)[1])
    split = split_clips(single, 0.25)
    assert (len(split.train), len(split.test)) == (7, 2)
    assert set(split.train.actions) == set(split.train.styles) == {0, 1, 2}
    mixed = clips.subset([0, 1, 4, *range(8, len(clips))])  # one of stroll, stooped
    split = split_clips(mixed, 0.25)
    assert not set(split.train.names) & set(split.test.names)
    assert len(split.train) + len(split.test) == len(mixed)


def test_the_walker_has_one_rate():
    with pytest.raises(ValueError, match="30 frames a second. Received: a rate of 15"):
        load_motion("walker", 15.0)


def test_home_may_stand_after_the_colon(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_clips(tmp_path / "clips", old=walking(frames=4))
    assert len(load_motion("bvh:~/clips")) == 1
    assert RECIPES["motion-style"](source="bvh:~/clips").data_lines()[1].startswith("1 BVH files")


def test_names_that_stand_for_nothing(tmp_path):
    nothing = [("fly", "named walker"), ("bvh:", "Expected a path after a colon, such as bvh:")]
    for name, message in (*nothing, (f"folder:{tmp_path}", "no .bvh")):
        with pytest.raises(ValueError, match=message):
            load_motion(name)


@pytest.mark.data
def test_real_archive(data_folder):
    clips = load_motion(f"npz:{data_folder / 'bandai_mocap' / 'bandai2_subset.npz'}")
    assert (len(clips), len(clips.action_names), len(clips.style_names)) == (560, 10, 7)
    bvh = load_motion(f"folder:{data_folder / 'bandai_mocap' / 'bvh'}")
    index = clips.names.index(bvh.names[0])
    np.testing.assert_allclose(clips.positions[index], bvh.positions[0], atol=0.04)
