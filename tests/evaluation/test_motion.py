import copy

import numpy as np
import pytest

from keras_dtl.data.clips import split_clips
from keras_dtl.data.motion import load_motion, windows_of
from keras_dtl.data.walker import walk, walker_skeleton
from keras_dtl.evaluation import motion as measures
from keras_dtl.evaluation.motion_method_scores import (
    pair_scores,
    rebuilding_scores,
    transfer_scores,
)
from keras_dtl.evaluation.motion_scores import MotionScores, other_styles

SKELETON = walker_skeleton()


@pytest.fixture(scope="module")
def split():
    return split_clips(load_motion("walker", clips_per_cell=6), 0.25, [("walk", "proud")])


@pytest.fixture(scope="module")
def windows(split):
    return windows_of(split.train, 48, 24), windows_of(split.test, 48, 24)


@pytest.fixture(scope="module")
def scores(split, windows):
    return MotionScores(*windows, SKELETON, 30.0, windows_of(split.held_out, 48, 24))


def test_copying_the_content_or_the_style_scores_as_it_should(windows, scores):
    test = windows[1]
    chosen = other_styles(test.styles, test.styles, np.random.default_rng(0))
    kept = scores.score_transfers(lambda pair: pair[0], test, test, chosen, test)
    assert kept["action_of_ceiling"] == 1 and kept["style_accuracy"] < 0.1
    assert kept["style_accuracy"] == kept["style_unchanged"]
    assert kept["jerk_ratio"] == kept["foot_skate_ratio"] == kept["diversity_ratio"] == 1
    copied = scores.score_transfers(lambda pair: pair[1], test, test, chosen, test)
    assert copied["style_of_ceiling"] > 0.9 and copied["action_accuracy"] < 0.7
    assert copied["style_ceiling"] > 0.9 and copied["physics"]["made"]["bone_deviation"] < 1e-6


def test_speed_is_that_of_the_cell_which_was_asked_for(windows, scores):
    test = windows[1]
    ratios = scores.velocity(test.features, test.actions, test.styles)
    assert ratios["mean_ratio"] == pytest.approx(1, abs=0.05)
    assert ratios["deviation_ratio"] == pytest.approx(1, abs=0.1)
    slow = test.features.copy()
    slow[:, :, -3:-1] *= 0.5
    assert scores.velocity(slow, test.actions, test.styles)["mean_ratio"] < 0.9
    # Strolls are slower than all walks together, and so are they beside marches.
    strolls = test.features[test.actions == 0]
    marches = np.full(len(strolls), 2)
    assert scores.velocity(strolls, marches, None)["mean_ratio"] < 0.8


def test_ceilings_of_held_out_cells_are_of_clips_that_no_judge_learnt(split, windows, scores):
    held = windows_of(split.held_out, 48, 24)
    assert 0 < len(scores.unseen.features) < len(held.features)
    assert set(scores.unseen.clips) == {1, 3, 5}
    assert scores.judges["style"].accuracy(scores.unseen.features, scores.unseen.styles) > 0.9


def test_one_action_and_few_clips_are_scored(split):
    """What a folder of a few clips of one action leaves: a test clip a style, a held-out one."""
    walks = split.train.subset(np.flatnonzero(split.train.actions == 1)[::2])
    tested = split.test.subset(np.unique(split.test.styles, return_index=True)[1])
    train, test = windows_of(walks, 48, 40), windows_of(tested, 48, 40)
    test = test._replace(actions=np.ones_like(test.actions))
    alone = windows_of(split.held_out.subset([0]), 48, 40)
    few = MotionScores(train, test, SKELETON, 30.0, alone)
    assert few.unseen is None
    kept = transfer_scores(few, lambda pair: pair[0], test, alone)
    assert set(kept) == {"transfers"}
    found = kept["transfers"]
    assert "action_of_ceiling" not in found and "action_unchanged" not in found
    assert found["style_accuracy"] == found["style_unchanged"]
    assert np.isfinite(found["frechet_distance"])
    # Of 16 components, as many as these windows have.
    assert measures.motion_frechet_distance(train.features, train.features) == pytest.approx(0)


def test_a_judge_that_guesses_is_no_ceiling(windows, scores):
    train, test = windows
    wrong = test._replace(styles=(test.styles + 1) % 3)
    found = scores.score(test.features[:9], None, test.styles[:9], wrong)
    assert found["style_ceiling"] < 0.1 and found["style_accuracy"] > 0.9
    assert "style_of_ceiling" not in found


def test_copies_and_one_motion_for_all_are_seen(windows, scores):
    train, test = windows
    copies = scores.compare(train.features[:9], None, None, test)
    assert copies["nearest_distance"] < 1e-3 < copies["nearest_distance_real"]
    one = np.repeat(test.features[:1], 9, 0)
    assert scores.compare(one, None, None, test)["diversity_ratio"] < 1e-3


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
    assert measures.stiffness_error(positions, skeleton) < 1e-6
    bent = positions.copy()
    hip, knee = skeleton.names.index("LeftUpLeg"), skeleton.names.index("LeftLeg")
    bent[:, hip:knee] += [0, 5, 0]  # a pelvis that is another one
    assert measures.stiffness_error(bent, skeleton) > 1e-3


def test_one_style_cannot_be_transferred():
    with pytest.raises(ValueError, match="two styles"):
        other_styles(np.zeros(3, int), np.zeros(3, int), np.random.default_rng(0))


def test_transfers_go_between_test_clips_and_to_and_from_held_out_cells(split, windows, scores):
    test, held = windows[1], windows_of(split.held_out, 48, 24)
    found = transfer_scores(scores, lambda pair: pair[0], test, held)
    assert list(found) == ["transfers", "to_held_out_cells", "from_held_out_cells"]
    assert found["transfers"]["number"] == len(test.features)
    # Walks in other moods than proud, the cell that was held out, are asked to be proud.
    asked = (test.actions == held.actions[0]) & (test.styles != held.styles[0])
    assert found["to_held_out_cells"]["number"] == asked.sum()
    assert found["from_held_out_cells"]["number"] == len(held.features)
    assert all(part["action_of_ceiling"] == 1 for part in found.values())
    all_seen = copy.copy(scores)
    all_seen.unseen = None
    assert list(transfer_scores(all_seen, lambda pair: pair[0], test)) == ["transfers"]


def test_pairs_agree_where_the_content_alone_tells_the_action(windows, scores):
    test = windows[1]
    of_cell = {
        (action, style): test.features[(test.actions == action) & (test.styles == style)][0]
        for action in (0, 2)
        for style in (0, 1)
    }

    def generate(codes):
        signs = (np.array(code)[:, 0] > 0 for code in codes)
        return np.stack([of_cell[2 * one, 1 * other] for one, other in zip(*signs, strict=True)])

    found = pair_scores(scores, generate, (3, 2), test)
    assert found["agreement"] == 1 and found["ceiling"] > 0.9
    assert found["style_differs"] == pytest.approx(0.5, abs=0.2)
    assert found["action_entropy"] == pytest.approx(np.log(2) / np.log(3), abs=0.02)
    swapped = pair_scores(scores, lambda codes: generate(codes[::-1]), (3, 2), test)
    assert swapped["agreement"] == pytest.approx(0.5, abs=0.2) and swapped["style_differs"] < 0.1


def test_rebuilding_error_is_in_deviations_of_real_motion():
    real = np.random.default_rng(0).normal(0, 3, (50, 8, 4))
    codes = np.array([[1.0, 3.0], [1.0, 3.0]])
    assert rebuilding_scores(real, real, codes)["reconstruction_error"] == 0
    off = rebuilding_scores(real, real + 3, codes)
    assert off["reconstruction_error"] == pytest.approx(1, abs=0.05)
    assert off["codes"] == {"mean": 2.0, "deviation": 1.0}
