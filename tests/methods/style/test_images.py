import numpy as np
import pytest

from keras_dtl.methods.style.images import (
    match_colors,
    prepare_colors,
    size_like,
    size_within,
)


def picture(seed, mean=(120, 90, 140), spread=25):
    random = np.random.default_rng(seed)
    mixed = random.normal(0, spread, (40, 50, 3)) @ random.normal(0, 0.5, (3, 3))
    return np.clip(mixed + mean, 0, 255).astype("uint8")


def test_histogram_match_gives_mean_and_covariance_of_the_reference():
    image, reference = picture(0), picture(1, (100, 130, 120), 20)
    matched = match_colors(image, reference).reshape(-1, 3).astype(float)
    goal = reference.reshape(-1, 3).astype(float)
    np.testing.assert_allclose(matched.mean(0), goal.mean(0), atol=0.5)
    np.testing.assert_allclose(np.cov(matched.T), np.cov(goal.T), rtol=0.05, atol=3)


def test_grey_and_flat_images_survive_the_match():
    grey = np.repeat(picture(0)[:, :, :1], 3, axis=2)
    flat = np.full((8, 8, 3), 77, "uint8")
    for image, reference in ((grey, picture(1)), (flat, picture(1)), (picture(1), flat)):
        matched = match_colors(image, reference)
        assert np.abs(matched.mean((0, 1)) - reference.mean((0, 1))).max() < 3


def test_match_with_a_grey_image_is_grey():
    grey = np.repeat(picture(0)[:, :, :1], 3, axis=2)
    assert not np.ptp(match_colors(picture(1), grey).astype(int), axis=2).any()


def test_luminance_makes_all_grey_with_the_statistics_of_the_content():
    content, (style,) = prepare_colors(picture(0), [picture(1, (60, 60, 60))], "luminance")
    for image in (content, style):
        assert (image[..., 0] == image[..., 1]).all() and (image[..., 1] == image[..., 2]).all()
    assert style.mean() == pytest.approx(content.mean(), abs=0.5)
    assert style.std() == pytest.approx(content.std(), rel=0.05)


def test_sizes():
    image = np.zeros((30, 60, 3), "uint8")
    assert size_within(image, None) == (30, 60)
    assert size_within(image, 20) == (10, 20)
    assert size_like(image, (100, 50)) == (50, 100)
    assert size_like(image, (100, 50), 0.5) == (25, 50)
