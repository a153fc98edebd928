import keras
import numpy as np
import pytest

from keras_dtl.layers import ReflectionPadding2D


@pytest.mark.parametrize(
    ("padding", "sides"),
    [
        (1, ((1, 1), (1, 1))),
        ((2, 1), ((2, 2), (1, 1))),
        (((0, 2), (1, 3)), ((0, 2), (1, 3))),
        (0, ((0, 0), (0, 0))),
    ],
)
def test_equals_numpy_reflect(padding, sides):
    x = np.arange(2 * 5 * 6 * 2, dtype="float32").reshape(2, 5, 6, 2)
    expected = np.pad(x, ((0, 0), *sides, (0, 0)), mode="reflect")
    layer = ReflectionPadding2D(padding)
    np.testing.assert_array_equal(layer(x).numpy(), expected)
    assert layer.compute_output_shape(x.shape) == expected.shape


def test_unknown_sizes_stay_unknown():
    inputs = keras.Input((None, 8, 3))
    assert ReflectionPadding2D(2)(inputs).shape == (None, None, 12, 3)


def test_config_round_trip():
    layer = ReflectionPadding2D.from_config(ReflectionPadding2D((1, 2)).get_config())
    assert layer.padding == ((1, 1), (2, 2))


@pytest.mark.parametrize("padding", [-1, (1, 2, 3), "same", ((1, 2), (3,)), None])
def test_unusable_padding_is_refused(padding):
    with pytest.raises(ValueError, match="padding"):
        ReflectionPadding2D(padding)


def test_image_smaller_than_the_padding_is_refused():
    with pytest.raises(ValueError, match="at least 4"):
        ReflectionPadding2D(3)(keras.Input((3, 8, 1)))
