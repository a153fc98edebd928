import keras
import numpy as np
import pytest

from keras_dtl.data.walker import walker_skeleton, walks
from keras_dtl.evaluation.motion import foot_skate
from keras_dtl.layers import PlantFeet
from keras_dtl.motion import features_of, positions_of

SKELETON = walker_skeleton()
FEET = list(SKELETON.feet)


def planted(features, **arguments):
    return np.asarray(PlantFeet(SKELETON.legs, **arguments)(features[None]))[0]


def glide(frames=9):
    """One pose that turns and glides over the ground, which a foot in it goes round with."""
    pose = features_of(walks(1)[0][0], SKELETON)[3]
    pose[-3:] = 0.03, -0.02, 0.05
    return np.repeat(pose[None], frames, 0)


def ground_ways(features):
    """Return how far each foot goes over the ground in a frame, `(frames - 1, feet)`."""
    feet = positions_of(features, SKELETON)[:, FEET][..., [0, 2]]
    return np.linalg.norm(np.diff(feet, axis=0), axis=-1)


def test_a_foot_that_is_down_stays_where_it_is_while_the_body_turns():
    features = glide()
    lowest = positions_of(features, SKELETON)[0, FEET, 1].argmin()
    found = planted(features, share=1.0, height=1e-4)
    assert ground_ways(features)[:, lowest].min() > 0.01 * SKELETON.leg
    np.testing.assert_allclose(ground_ways(found)[:, lowest], 0, atol=1e-4 * SKELETON.leg)


def test_of_the_sliding_the_share_asked_for_is_left():
    features = glide()
    lowest = positions_of(features, SKELETON)[0, FEET, 1].argmin()
    left = ground_ways(planted(features, share=0.25, height=1e-4)) / ground_ways(features)
    np.testing.assert_allclose(left[:, lowest], 0.75, atol=1e-3)


def test_feet_slide_less_and_poses_stay():
    features = features_of(walks(1)[0][0], SKELETON)
    features[:, -3:-1] *= 1.4  # farther than the legs step
    found = planted(features)
    before, after = (
        foot_skate(positions_of(motion, SKELETON), SKELETON, 30.0) for motion in (features, found)
    )
    assert after < 0.8 * before
    np.testing.assert_array_equal(found[:, :-3], features[:, :-3])
    np.testing.assert_array_equal(found[:, -1], features[:, -1])


def test_feet_in_the_air_slide_as_they_do():
    features = glide(8)
    features[1:, -4] += 1.0  # a jump after the first frame
    np.testing.assert_allclose(planted(features)[3:], features[3:], atol=1e-6)


def test_saved_layer_is_the_same(tmp_path):
    features = keras.Input((None, SKELETON.num_features))
    layer = PlantFeet(SKELETON.legs.tolist(), share=0.3, height=0.1)
    keras.Model(features, layer(features)).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(glide()[None]), layer(glide()[None]))


@pytest.mark.parametrize("arguments", [{"share": 1.1}, {"share": float("nan")}, {"height": 0.0}])
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="must be in 0..1"):
        PlantFeet(SKELETON.legs, **arguments)
