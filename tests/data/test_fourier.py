import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.data import fourier_adaptation


def photos(count, size=(12, 15), seed=0):
    return np.random.default_rng(seed).integers(60, 200, (count, *size, 3)).astype("uint8")


def numpy_adaptation(image, style, share):
    """As in the paper: the centred window of the full transform is exchanged."""
    found = np.empty(image.shape)
    for channel in range(image.shape[-1]):
        ours, theirs = (
            np.fft.fftshift(np.fft.fft2(x[..., channel].astype("float64"))) for x in (image, style)
        )
        amplitude, phase = np.abs(ours), np.angle(ours)
        (h, w), b = ours.shape, int(share * min(ours.shape))
        rows = slice(h // 2 - b, h // 2 + b + 1)
        columns = slice(w // 2 - b, w // 2 + b + 1)
        amplitude[rows, columns] = np.abs(theirs)[rows, columns]
        found[..., channel] = np.fft.ifft2(np.fft.ifftshift(amplitude * np.exp(1j * phase))).real
    return np.clip(np.round(found), 0, 255)


@pytest.mark.parametrize("size", [(12, 15), (13, 10)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_agrees_with_the_full_transform(share, size):
    images, styles = photos(2, size), photos(2, size, seed=1)
    found = fourier_adaptation(tf.constant(images), tf.constant(styles), share).numpy()
    expected = [numpy_adaptation(*pair, share) for pair in zip(images, styles, strict=True)]
    assert np.abs(found - np.array(expected)).max() <= 1  # halves may round either way
    assert (found == np.array(expected)).mean() > 0.99


def test_share_0_gives_the_mean_colour_of_the_other_image():
    images, styles = photos(1), photos(1, seed=1) // 2 + 40
    found = fourier_adaptation(tf.constant(images), tf.constant(styles), 0.0).numpy()
    change = found.astype("float64") - images
    assert change.mean((0, 1, 2)) == pytest.approx(
        styles.mean((0, 1, 2)) - images.mean((0, 1, 2)), abs=0.5
    )
    assert change.std((0, 1, 2)).max() < 0.5  # contrast and edges stay


def test_an_image_in_its_own_style_is_itself_also_where_it_is_black():
    images = photos(2)
    images[0] = 0
    assert np.array_equal(fourier_adaptation(tf.constant(images), tf.constant(images), 0.3), images)


def test_fewer_styles_than_images_take_turns():
    images, styles = photos(3), photos(2, seed=1)
    found = fourier_adaptation(tf.constant(images), tf.constant(styles), 0.1).numpy()
    third = fourier_adaptation(tf.constant(images[2:]), tf.constant(styles[:1]), 0.1).numpy()
    assert np.array_equal(found[2:], third)


@pytest.mark.parametrize(
    ("share", "size", "words"), [(0.6, (12, 15), "0..0.5"), (0.1, (12, 16), "12, 16")]
)
def test_bad_input_is_refused(share, size, words):
    with pytest.raises(ValueError, match=words):
        fourier_adaptation(tf.constant(photos(1)), tf.constant(photos(1, size)), share)
