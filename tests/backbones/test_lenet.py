import numpy as np
import pytest

from keras_dtl.backbones import lenet, mlp


def images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype("uint8")


def test_layers_have_the_papers_sizes():
    network = lenet()
    kernels = [w.shape for w in network.weights if len(w.shape) == 4]
    assert kernels == [(5, 5, 3, 32), (5, 5, 32, 48)]
    assert network.output_shape == (None, 768)
    assert network.inputs[0].dtype == "uint8"


def test_pixels_are_scaled_inside():
    black, white = np.zeros((1, 28, 28, 3), "uint8"), np.full((1, 28, 28, 3), 255, "uint8")
    scaled = lenet().layers[1]
    assert (scaled(black).numpy() == -1).all()
    np.testing.assert_allclose(scaled(white), 1, rtol=1e-6)


def test_average_pooling_takes_any_size():
    network = lenet((None, None, 3), pooling="average")
    for size in (28, 33):
        assert network(images(2, size, size, 3)).shape == (2, 48)


def test_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="pooling"):
        lenet(pooling="maximum")


def test_mlp_ends_in_logits():
    network = mlp((7,), (5, 4), 3)
    assert [w.shape for w in network.weights if len(w.shape) == 2] == [(7, 5), (5, 4), (4, 3)]
    assert network.layers[-1].activation.__name__ == "linear"
    assert network(np.ones((2, 7))).numpy().min() < 0 or network(-np.ones((2, 7))).numpy().min() < 0
