import numpy as np
import pytest

from keras_dtl.evaluation import choose_indices, tsne


@pytest.fixture(scope="module")
def blobs():
    noise = np.random.default_rng(0).normal(size=(60, 8))
    return noise + np.repeat([[0.0], [20.0]], 30, axis=0)


def test_choose_indices_is_seeded_sorted_and_without_repeats():
    chosen = choose_indices(1000, 50, seed=3)
    np.testing.assert_array_equal(chosen, choose_indices(1000, 50, seed=3))
    assert (np.diff(chosen) > 0).all()
    assert len(chosen) == 50
    assert not np.array_equal(chosen, choose_indices(1000, 50, seed=4))


def test_choose_indices_takes_all_of_few():
    np.testing.assert_array_equal(choose_indices(3, 50), [0, 1, 2])


def test_choose_indices_refuses_to_choose_nothing():
    with pytest.raises(ValueError, match="count=0"):
        choose_indices(3, 0)


def test_tsne_separates_two_blobs(blobs):
    points = tsne(blobs)
    assert points.shape == (60, 2)
    assert points.dtype == np.float32
    centres = points.reshape(2, 30, 2).mean(axis=1)
    nearest = np.linalg.norm(points[:, None] - centres, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, np.repeat([0, 1], 30))


def test_tsne_is_the_same_for_the_same_seed(blobs):
    np.testing.assert_array_equal(tsne(blobs, seed=1), tsne(blobs, seed=1))


def test_tsne_flattens_feature_maps(blobs):
    maps = blobs.reshape(60, 2, 2, 2)
    np.testing.assert_array_equal(tsne(maps, steps=250), tsne(blobs, steps=250))


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_tsne_separates_features_of_any_size(blobs, scale):
    points = tsne(blobs * scale, steps=250)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == 60


def test_tsne_puts_constant_features_at_the_origin():
    np.testing.assert_array_equal(tsne(np.full((10, 4), 7.0)), np.zeros((10, 2)))


@pytest.mark.parametrize("shape", [(5, 3), (20, 1)])
def test_tsne_lays_out_few_points_and_single_features(shape):
    points = tsne(np.random.default_rng(0).normal(size=shape), steps=250)
    assert points.shape == (shape[0], 2)
    assert np.isfinite(points).all()


@pytest.mark.parametrize("shape", [(4, 3), (10,), (10, 0), (0, 3)])
def test_tsne_refuses_too_little(shape):
    with pytest.raises(ValueError, match="at least 5"):
        tsne(np.ones(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_tsne_refuses_what_is_not_finite(blobs, value):
    broken = blobs.copy()
    broken[7, 2] = value
    with pytest.raises(ValueError, match=r"1 of 60 rows.*row 7"):
        tsne(broken)
