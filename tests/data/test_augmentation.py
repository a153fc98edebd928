import numpy as np
import tensorflow as tf

from keras_dtl.data.augmentation import AUGMENTATIONS, random_affine, random_intensity


def square(count=4):
    images = np.zeros((count, 20, 20, 3), "uint8")
    images[:, 6:14, 6:14] = 200
    return tf.constant(images)


def seed(step):
    return tf.constant([3, step], "int64")


def test_same_seed_same_images_and_each_image_its_own_change():
    first, again, other = (random_affine(square(), seed(k)).numpy() for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first[0] != first[1]).any()
    assert (first.dtype, first.shape) == (np.uint8, (4, 20, 20, 3))


def test_no_change_is_the_identity():
    still = random_affine(square(), seed(0), rotation=0, scale=(1, 1), shift=0, shear=0)
    np.testing.assert_array_equal(still, square())


def area(images):
    return (np.asarray(images)[..., 0] / 200).sum((1, 2))


def test_scale_shift_and_rotation_are_what_they_say():
    only = {"rotation": 0, "scale": (1, 1), "shift": 0, "shear": 0}
    doubled = random_affine(square(), seed(0), **{**only, "scale": (1.5, 1.5)})
    np.testing.assert_allclose(area(doubled), 64 * 2.25, rtol=0.05)
    turned = random_affine(square(), seed(0), **{**only, "rotation": 90})
    np.testing.assert_allclose(area(turned), 64, rtol=0.1)
    moved = random_affine(square(64), seed(0), **{**only, "shift": 0.1}).numpy()[..., 0]
    rows, columns = np.indices((20, 20))
    middles = [(moved * axis).sum((1, 2)) / moved.sum((1, 2)) - 9.5 for axis in (rows, columns)]
    assert 1.2 < np.abs(middles).max() <= 2.05  # pixels: 0.1 of 20


def test_border_repeats_the_edge():
    bright = tf.fill((2, 10, 10, 3), tf.constant(90, "uint8"))
    np.testing.assert_array_equal(random_affine(bright, seed(0)), bright)


def test_intensities_are_what_they_say():
    only = {"scale": (1, 1), "offset": 0, "negative": 0}
    np.testing.assert_array_equal(random_intensity(square(), seed(0), **only), square())
    negative = random_intensity(square(), seed(0), **{**only, "negative": 1})
    np.testing.assert_array_equal(negative, 255 - square())
    weak = random_intensity(square(), seed(0), **{**only, "scale": (0.5, 0.5)}).numpy()
    np.testing.assert_allclose(weak, 127.5 + 0.5 * (square().numpy() - 127.5), atol=0.51)
    bright = random_intensity(square(64), seed(0), **{**only, "offset": 0.5}).numpy()
    assert 0 < np.abs(bright.astype(int) - square(64).numpy()).max() <= 64
    share = random_intensity(square(200), seed(0), **{**only, "negative": 0.5}).numpy()
    assert 0.35 < (share[:, 0, 0, 0] == 255).mean() < 0.65


def test_every_augmentation_keeps_form_and_depends_on_the_seed_alone():
    for change in AUGMENTATIONS.values():
        if change is not None:
            first, again = (tf.function(change)(square(), seed(2)).numpy() for _ in range(2))
            np.testing.assert_array_equal(first, again)
            assert (first.dtype, first.shape) == (np.uint8, (4, 20, 20, 3))
            assert (first[0] != first[1]).any()
