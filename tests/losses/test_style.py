import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.layers import GramMatrix
from keras_dtl.losses import LOSS_SCALES, content_loss, style_loss, total_variation


def maps(seed, size=(5, 7), channels=4, batch=1):
    return np.random.default_rng(seed).normal(1.0, 2.0, (batch, *size, channels)).astype("float32")


def gram_over_positions(x):
    flat = x.astype("float64").reshape(len(x), -1, x.shape[-1])
    return np.einsum("bpi,bpj->bij", flat, flat) / flat.shape[1]


@pytest.mark.parametrize("scale", LOSS_SCALES)
def test_content_loss_equals_numpy(scale):
    x, y = maps(0, batch=2), maps(1, batch=2)
    squares = (x.astype("float64") - y) ** 2
    expected = {"paper": squares.sum() / 2 / 2, "gatys_torch": squares.mean()}
    expected["johnson"] = expected["gatys_torch"]
    of_target = (y.astype("float64") ** 2).sum((1, 2, 3))
    expected["relative"] = (squares.sum((1, 2, 3)) / of_target).mean()
    assert float(content_loss(x, y, scale)) == pytest.approx(expected[scale], rel=1e-5)


def test_paper_style_loss_equals_its_equation_4():
    x, y = maps(0), maps(1)
    flat_x, flat_y = (m.astype("float64").reshape(-1, 4) for m in (x, y))
    positions, channels = flat_x.shape
    difference = flat_x.T @ flat_x - flat_y.T @ flat_y
    expected = (difference**2).sum() / (4 * channels**2 * positions**2)
    grams = (GramMatrix("positions")(m) for m in (x, y))
    assert float(style_loss(*grams, "paper")) == pytest.approx(expected, rel=1e-5)


def test_style_loss_of_the_two_programs_equals_numpy():
    x, y = maps(0), maps(1)
    channels, positions = 4, 35
    grams = [GramMatrix("positions")(m) for m in (x, y)]
    # The authors' notebook: the mean over the matrix of Gram / (H W), weighted by 1 / N^2.
    notebook = ((gram_over_positions(x) - gram_over_positions(y)) ** 2).mean() / channels**2
    assert float(style_loss(*grams, "gatys_torch")) == pytest.approx(notebook, rel=1e-5)
    # jcjohnson/neural-style: the mean over the matrix of Gram / (C H W).
    sums = [gram_over_positions(m) * positions / (channels * positions) for m in (x, y)]
    program = ((sums[0] - sums[1]) ** 2).mean()
    assert float(style_loss(*grams, "johnson")) == pytest.approx(program, rel=1e-5)


def test_relative_style_loss_is_that_of_gram_matrices_of_any_scale():
    x, y = gram_over_positions(maps(0)), gram_over_positions(maps(1))
    expected = ((x - y) ** 2).sum() / (y**2).sum()
    for factor in (1, 1e4):
        loss = style_loss(x * factor, y * factor, "relative")
        assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(style_loss(x, np.zeros_like(y), "relative"))


def test_losses_are_means_over_the_batch():
    x, y = maps(0, batch=3), maps(1, batch=3)
    for scale in LOSS_SCALES:
        for loss, a, b in (
            (content_loss, x, y),
            (style_loss, gram_over_positions(x), gram_over_positions(y)),
        ):
            alone = [float(loss(a[i : i + 1], b[i : i + 1], scale)) for i in range(3)]
            assert float(loss(a, b, scale)) == pytest.approx(np.mean(alone), rel=1e-5)


def test_total_variation_and_its_gradient():
    x = maps(0).astype("float64")
    expected = 0.5 * ((np.diff(x, axis=1) ** 2).sum() + (np.diff(x, axis=2) ** 2).sum())
    variable = tf.Variable(maps(0))
    with tf.GradientTape() as tape:
        loss = total_variation(variable)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    inner = tape.gradient(loss, variable).numpy()[0, 2, 3]
    neighbours = x[0, 1, 3] + x[0, 3, 3] + x[0, 2, 2] + x[0, 2, 4]
    np.testing.assert_allclose(inner, 4 * x[0, 2, 3] - neighbours, rtol=1e-4)
    assert float(total_variation(np.ones((1, 4, 4, 3), "float32"))) == 0
    assert float(total_variation(x, "relative")) == pytest.approx(expected / x.size, rel=1e-5)


def test_half_precision_features_give_float32_and_unknown_scale_is_refused():
    assert content_loss(maps(0).astype("float16"), maps(1).astype("float16")).dtype == "float32"
    for loss in (content_loss, style_loss):
        with pytest.raises(ValueError, match="scale"):
            loss(maps(0), maps(1), "gatys")
