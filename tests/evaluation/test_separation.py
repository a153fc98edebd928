import numpy as np
import pytest

from keras_dtl.evaluation.separation import (
    bootstrap_interval,
    correlation,
    explained_variance,
    mean_distance,
    probe_accuracy,
    retrieval_precision,
    slant,
    stroke_thickness,
)


def stroke(tilt=0.0, width=3, side=24):
    """Return a white stroke on black, whose columns move by `tilt` a row."""
    image = np.zeros((side, side, 1), "uint8")
    for row in range(4, 20):
        start = round(10 + tilt * (row - 12))
        image[row, start : start + width] = 255
    return image


def test_slant_is_the_tilt_and_knows_its_side():
    images = np.stack([stroke(tilt) for tilt in (-0.5, 0.0, 0.5)])
    np.testing.assert_allclose(slant(images), [-0.5, 0, 0.5], atol=0.03)
    assert slant(np.zeros((1, 8, 8, 1), "uint8"))[0] == 0


def test_thickness_grows_with_the_stroke():
    measured = stroke_thickness(np.stack([stroke(width=width) for width in (2, 3, 4)]))
    # Twice w * 16 over the outline 2 * (w + 16).
    np.testing.assert_allclose(measured, [w * 16 / (w + 16) for w in (2, 3, 4)], rtol=1e-6)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_probe_reads_what_is_there_and_nothing_else(kind):
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 400)
    codes = random.normal(size=(400, 3))
    telling = codes + 4 * labels[:, None]

    def parts(codes):
        return (codes[:300], labels[:300]), (codes[300:], labels[300:])

    assert probe_accuracy(*parts(telling), kind) > 0.95
    assert probe_accuracy(*parts(codes), kind) < 0.65


def test_mlp_probe_reads_what_no_line_parts():
    random = np.random.default_rng(0)
    codes = random.uniform(-1, 1, (2000, 2))
    labels = (codes.prod(1) > 0).astype(int)
    parts = (codes[:1500], labels[:1500]), (codes[1500:], labels[1500:])
    assert probe_accuracy(*parts, "linear") < 0.65 and probe_accuracy(*parts, "mlp") > 0.9


def test_an_unknown_probe_is_refused():
    with pytest.raises(ValueError, match="kind"):
        probe_accuracy((np.zeros((2, 1)), [0, 1]), (np.zeros((2, 1)), [0, 1]), "svm")


def test_retrieval_never_finds_the_example_itself():
    codes = np.array([[0.0], [0.1], [5.0], [5.1]])
    assert retrieval_precision(codes, np.array([0, 0, 1, 1])) == 1
    assert retrieval_precision(codes, np.array([0, 1, 0, 1])) == 0
    assert retrieval_precision(np.zeros((2, 1)), np.array([0, 1])) == 0


def test_the_small_measures_by_hand():
    a = np.array([1.0, 2, 3])
    assert correlation(a, -a) == pytest.approx(-1) and correlation(a, np.ones(3)) == 0
    codes = np.array([[0.0, 0], [2, 2]])
    assert explained_variance(codes, codes) == 1
    assert explained_variance(codes, codes.mean(0)) == 0
    assert mean_distance(np.zeros((2, 2)), np.array([[3, 4], [0, 0]])) == 2.5
    low, high = bootstrap_interval([0, 1] * 50)
    assert 0.35 < low < 0.5 < high < 0.65
