import keras
import numpy as np

from keras_dtl.layers import ToPixels


def test_values_are_rounded_and_clipped():
    x = np.array([-1.5, -1, -1 + 0.9 / 127.5, 0, 0.5 / 127.5, 1, 7], "float32")
    np.testing.assert_array_equal(ToPixels()(x), [0, 0, 1, 128, 128, 255, 255])


def test_every_pixel_comes_back():
    pixels = np.arange(256).astype("uint8")
    signed = pixels.astype("float32") / 127.5 - 1
    np.testing.assert_array_equal(ToPixels()(signed), pixels)
    symbolic = ToPixels()(keras.Input((None, None, 3)))
    assert (symbolic.dtype, symbolic.shape) == ("uint8", (None, None, None, 3))
