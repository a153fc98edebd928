import numpy as np
import pytest

from keras_dtl.data.motion import load_motion, split_clips, windows_of
from keras_dtl.data.walker import walk, walker_skeleton
from keras_dtl.evaluation import motion as measures


@pytest.fixture(scope="module")
def windows():
    split = split_clips(load_motion("walker", clips_per_cell=6))
    return windows_of(split.train, 48, 24), windows_of(split.test, 48, 24)


def test_copying_the_content_or_the_style_scores_as_it_should(windows):
    skeleton = walker_skeleton()
    kept = measures.score_transfer(lambda pair: pair[0], *windows, skeleton, 30.0)
    assert kept["action_of_ceiling"] == 1 and kept["style_accuracy"] < 0.1
    assert kept["velocity_ratio"] == pytest.approx(1) and kept["jerk_ratio"] == pytest.approx(1)
    copied = measures.score_transfer(lambda pair: pair[1], *windows, skeleton, 30.0)
    assert copied["style_of_ceiling"] > 0.9 and copied["action_accuracy"] < 0.7
    assert copied["style_ceiling"] > 0.9 and copied["transferred"]["bone_deviation"] < 1e-6


def test_nearest_and_frechet(windows):
    train, test = windows
    assert measures.nearest_distances(train.features[:5], train.features).max() < 1e-3
    expected = np.sqrt(((test.features[:1] - train.features) ** 2).mean((1, 2))).min()
    found = measures.nearest_distances(test.features[:1], train.features)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    same = measures.motion_frechet_distance(train.features, train.features)
    far = measures.motion_frechet_distance(train.features, train.features + 0.5)
    assert same < 1e-3 < far


def test_physics_by_hand():
    skeleton, positions = walker_skeleton(), walk(1.0, 0.4, 0.0, 0.1, frames=60)
    line = np.arange(10.0)[:, None, None] ** 3 * np.ones((1, 2, 3)) / 6
    assert measures.jerk(line, 2.0) == pytest.approx(8 * np.sqrt(3))
    still = np.repeat(positions[:1], 5, 0)
    assert measures.speed(still, 30.0) == measures.foot_skate(still, skeleton, 30.0) == 0
    slid = still + np.arange(5.0)[:, None, None] * np.array([1.0, 0, 0])
    assert measures.foot_skate(slid, skeleton, 30.0) == pytest.approx(30)
    assert measures.bone_deviation(positions, skeleton) < 1e-9


def test_one_style_cannot_be_transferred(windows):
    train, test = windows
    one = test._replace(styles=np.zeros_like(test.styles))
    with pytest.raises(ValueError, match="two styles"):
        measures.score_transfer(lambda pair: pair[0], train, one, walker_skeleton(), 30.0)
