import numpy as np
import pytest

from keras_dtl.bvh import write_bvh
from keras_dtl.data.motion import load_motion, split_clips, statistics_of, windows_of
from keras_dtl.data.walker import measured_factors
from keras_dtl.motion import to_bvh


@pytest.fixture(scope="module")
def clips():
    return load_motion("walker", clips_per_cell=4)


def test_walker_has_the_factors_that_it_says(clips):
    measured = np.array([measured_factors(positions) for positions in clips.positions])
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
    with pytest.raises(ValueError, match="left to train styles"):
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


def test_names_that_stand_for_nothing(tmp_path):
    for name, message in (("fly", "named walker"), (f"folder:{tmp_path}", "no .bvh")):
        with pytest.raises(ValueError, match=message):
            load_motion(name)


@pytest.mark.data
def test_real_archive(data_folder):
    clips = load_motion(f"npz:{data_folder / 'bandai_mocap' / 'bandai2_subset.npz'}")
    assert (len(clips), len(clips.action_names), len(clips.style_names)) == (560, 10, 7)
    bvh = load_motion(f"folder:{data_folder / 'bandai_mocap' / 'bvh'}")
    index = clips.names.index(bvh.names[0])
    np.testing.assert_allclose(clips.positions[index], bvh.positions[0], atol=0.04)
