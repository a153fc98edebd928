"""Distances of image sets, similarity of pairs, segmentation scores: against plain formulas."""

import keras
import numpy as np
import pytest

from keras_dtl.evaluation import (
    TranslationProgress,
    absolute_error,
    brightness_correlation,
    cycle_errors,
    fcn_score,
    feature_network,
    features_of,
    fit_segmenter,
    frechet_distance,
    kernel_distance,
    palette_classes,
    perceptual_distance,
    segmentation_scores,
    set_distances,
    structural_similarity,
    translate,
)


def features(count, seed, shift=0.0, dimensions=5):
    return np.random.default_rng(seed).normal(shift, 1.0, (count, dimensions))


def images(count, seed=0, size=(16, 16), channels=3):
    return np.random.default_rng(seed).integers(0, 256, (count, *size, channels)).astype("uint8")


def test_frechet_distance_of_known_gaussians():
    x = features(400, 0)
    # The same features, moved and stretched: |shift|^2 + d (s - 1)^2 with the sample's variance.
    moved = 3 * (x - x.mean(0)) + x.mean(0) + 2
    variance = np.trace(np.cov(x, rowvar=False))
    assert frechet_distance(x, moved) == pytest.approx(5 * 4 + 4 * variance, rel=1e-6)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-8)


def test_frechet_distance_equals_the_formula_with_a_matrix_root():
    from scipy.linalg import sqrtm

    x, y = features(50, 0), features(40, 1, 0.5) * np.arange(1, 6)
    one, two = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    difference = x.mean(0) - y.mean(0)
    expected = difference @ difference + np.trace(one + two - 2 * sqrtm(one @ two).real)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-8)
    assert np.isfinite(frechet_distance(features(3, 0, dimensions=9), features(3, 1, 0, 9)))


def test_kernel_distance_equals_the_double_loop():
    x, y = features(6, 0), features(7, 1)

    def kernel(a, b):
        return (a @ b / 5 + 1) ** 3

    def among(z):
        n = len(z)
        pairs = [kernel(z[i], z[j]) for i in range(n) for j in range(n) if i != j]
        return sum(pairs) / (n * (n - 1))

    across = np.mean([kernel(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(among(x) + among(y) - 2 * across)


def test_kernel_distance_is_unbiased_and_grows_with_the_shift():
    same = [kernel_distance(features(50, 2 * s), features(50, 2 * s + 1)) for s in range(60)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(60)
    shifted = [kernel_distance(features(200, 0), features(200, 1, d)) for d in (0.2, 0.5, 1.0)]
    assert sorted(shifted) == shifted and shifted[0] > 0


def test_many_examples_are_compared_by_subsets(monkeypatch):
    monkeypatch.setattr("keras_dtl.evaluation.distribution._SUBSETS", 3)
    x, y = features(1500, 0, dimensions=2), features(1500, 1, 0.5, 2)
    assert kernel_distance(x, y) == kernel_distance(x, y)
    assert kernel_distance(x, y) == pytest.approx(kernel_distance(x[:900], y[:900]), rel=0.3)


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_unusable_features_are_refused(distance):
    with pytest.raises(ValueError, match="two or more"):
        distance(features(1, 0), features(5, 0))
    with pytest.raises(ValueError, match="equally many"):
        distance(features(5, 0), features(5, 0, dimensions=4))


def test_random_features_are_the_same_every_time_and_tell_textures_apart():
    network, again = feature_network(), feature_network()
    x = images(20)
    np.testing.assert_array_equal(features_of(network, x), features_of(again, x))
    smooth = (images(20, 1) // 8 + 100).astype("uint8")
    near = kernel_distance(features_of(network, x), features_of(network, images(20, 2)))
    far = kernel_distance(features_of(network, x), features_of(network, smooth))
    assert far > 10 * abs(near)
    assert features_of(network, images(3, channels=1)).shape == (3, 256)
    assert features_of(network, images(3, channels=4)).shape == (3, 256)


def test_own_network_is_taken_from_a_file(tmp_path):
    image = keras.Input((None, None, 3), dtype="uint8")
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1.0)(image))
    keras.Model(image, x).save(tmp_path / "mean.keras")
    network = feature_network(tmp_path / "mean.keras")
    x = images(3)
    np.testing.assert_allclose(features_of(network, x), x.mean((1, 2)), rtol=1e-5)
    keras.Model(image, keras.layers.Rescaling(1.0)(image)).save(tmp_path / "map.keras")
    with pytest.raises(ValueError, match="pooling"):
        feature_network(tmp_path / "map.keras")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("inception", ValueError),
        ("inception_v3:", ValueError),
        ("inception_v3:/nowhere.h5", FileNotFoundError),
        ("nowhere.keras", FileNotFoundError),
    ],
)
def test_unknown_feature_network_is_refused(name, error):
    with pytest.raises(error):
        feature_network(name)


def test_absolute_error_is_in_levels():
    x = np.zeros((2, 12, 12, 3), "uint8")
    assert absolute_error(x, x + 7) == 7
    assert absolute_error(x + 7, x) == 7
    with pytest.raises(ValueError, match="one shape"):
        absolute_error(x, x[:1])


def test_structural_similarity_equals_the_windowed_formula_at_one_position():
    x, y = images(1, 0, (11, 11), 1), images(1, 1, (11, 11), 1)
    distance = np.arange(11) - 5
    line = np.exp(-(distance**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    a, b = (part[0, :, :, 0].astype(float) for part in (x, y))
    mean_a, mean_b = (window * a).sum(), (window * b).sum()
    var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
    covariance = (window * (a - mean_a) * (b - mean_b)).sum()
    one, two = 6.5025, 58.5225
    expected = (2 * mean_a * mean_b + one) * (2 * covariance + two)
    expected /= (mean_a**2 + mean_b**2 + one) * (var_a + var_b + two)
    assert structural_similarity(x, y) == pytest.approx(expected)
    assert structural_similarity(x, x) == pytest.approx(1)
    with pytest.raises(ValueError, match="11 pixels"):
        structural_similarity(x[:, 1:], y[:, 1:])


def test_perceptual_distance_is_nothing_to_itself_and_grows():
    network, x = feature_network(), images(5)
    little = np.clip(x.astype(int) + np.random.default_rng(1).integers(-5, 6, x.shape), 0, 255)
    assert perceptual_distance(network, x, x) == 0
    near = perceptual_distance(network, x, little.astype("uint8"), batch_size=2)
    assert 0 < near < perceptual_distance(network, x, images(5, 9))


def test_brightness_correlation_tells_negatives():
    x = images(4)
    assert brightness_correlation(x, x) == pytest.approx(1)
    assert brightness_correlation(x, 255 - x) == pytest.approx(-1)
    assert abs(brightness_correlation(images(50), images(50, 1))) < 0.1
    assert brightness_correlation(x, np.zeros_like(x[..., :1])) == 0


def test_palette_finds_colours_that_jpeg_moved():
    palette = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], "uint8")
    classes = np.random.default_rng(0).integers(0, 3, (2, 4, 5))
    noisy = palette[classes].astype(int) + np.random.default_rng(1).integers(-30, 31, (2, 4, 5, 3))
    found = palette_classes(np.clip(noisy, 0, 255).astype("uint8"), palette)
    np.testing.assert_array_equal(found, classes)


def test_segmentation_scores_by_hand():
    truth = np.array([[[0, 0, 0, 1]]])
    predicted = np.array([[[0, 0, 1, 1]]])
    scores = segmentation_scores(predicted, truth, 3)
    assert scores["pixel_accuracy"] == 3 / 4
    assert scores["class_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["class_iou"] == pytest.approx((2 / 3 + 1 / 2) / 2)


@pytest.mark.slow
def test_segmenter_that_learnt_on_photos_scores_photos_and_not_noise():
    random = np.random.default_rng(0)
    classes = np.repeat(np.repeat(random.integers(0, 2, (64, 2, 2)), 8, 1), 8, 2)
    photos = np.where(classes[..., None] == 1, [200, 80, 40], [30, 60, 160]).astype("uint8")
    model = fit_segmenter(photos[:48], classes[:48], 2, epochs=10, filters=4)
    assert fcn_score(model, photos[48:], classes[48:])["class_iou"] > 0.9
    assert fcn_score(model, images(16, 3), classes[48:])["class_iou"] < 0.6


def negative(images):
    return 255 - np.asarray(images)


def test_translation_is_in_batches_of_eight():
    sizes = []
    x = images(20)
    np.testing.assert_array_equal(translate(lambda batch: sizes.append(len(batch)) or batch, x), x)
    assert sizes == [8, 8, 4]


def test_progress_sees_negatives_and_sets_that_are_alike():
    network, source = feature_network(), images(12, size=(32, 32))
    progress = TranslationProgress(network, source, source)
    same, turned = progress(lambda batch: batch), progress(negative)
    assert same["brightness_correlation"] == pytest.approx(1)
    assert turned["brightness_correlation"] == pytest.approx(-1)
    # Without bias a set is nearer to itself than 0.
    assert same["kid"] < 0 and same["kid"] < turned["kid"]
    of_pairs = TranslationProgress(network, source, source, reference=negative(source))
    assert of_pairs(negative)["brightness_correlation"] == pytest.approx(1)
    both = set_distances(network, source, source)
    assert both["kid"] == pytest.approx(same["kid"]) and both["fid"] == pytest.approx(0, abs=1e-6)


def test_cycles_of_inverse_generators_lose_nothing():
    a, b = images(3, 0), images(3, 1)
    there = negative
    errors = cycle_errors((there, there), (a, b), (there(a), there(b)))
    assert errors["cycle_error"] == 0
    moved = (
        np.abs(a.astype(float) - negative(a)).mean(),
        np.abs(b.astype(float) - negative(b)).mean(),
    )
    assert errors["identity_error"] == pytest.approx(np.mean(moved))
    grey = images(3, 1, channels=1)
    to_grey, to_rgb = lambda x: x[..., :1], lambda x: np.repeat(x, 3, -1)
    only_cycle = cycle_errors((to_grey, to_rgb), (to_rgb(grey), grey), (grey, to_rgb(grey)))
    assert only_cycle == {"cycle_error": 0.0}


@pytest.mark.parametrize(("sources", "answers"), [(1, 3), (3, 1)])
def test_one_image_leaves_fid_and_kid_out_and_the_rest_in(sources, answers):
    network = feature_network("random")
    assert set_distances(network, images(sources), images(answers, 1)) == {}
    progress = TranslationProgress(network, images(sources), images(answers, 1))
    assert set(progress(lambda batch: batch)) == {"brightness_correlation"}
