import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.data.augmentation import (
    AUGMENTATIONS,
    OPERATIONS,
    random_affine,
    random_crop,
    random_hole,
    random_intensity,
    random_mixed,
    random_strong,
)


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
            in_a_graph = tf.function(change)
            first, again = (in_a_graph(square(), seed(2)).numpy() for _ in range(2))
            np.testing.assert_array_equal(first, again)
            np.testing.assert_allclose(change(square(), seed(2)), first, atol=1)
            assert (first.dtype, first.shape) == (np.uint8, (4, 20, 20, 3))
            assert (first[0] != first[1]).any()


@pytest.mark.parametrize("name", ["crop", "mixed", "strong"])
def test_photos_change_by_the_seed_alone_and_each_by_itself(name):
    photos = tf.constant(np.random.default_rng(0).integers(0, 256, (8, 20, 20, 3)), "uint8")
    photos = tf.repeat(photos[:1], 8, 0)  # one photo eight times
    first, again, other = (AUGMENTATIONS[name](photos, seed(k)).numpy() for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert len({image.tobytes() for image in first}) == 8
    assert (first.dtype, first.shape) == (np.uint8, (8, 20, 20, 3))


def test_crop_mirrors_half_and_keeps_most_of_the_image():
    ramp = np.tile(np.linspace(0, 250, 32), (32, 1))[None, :, :, None].repeat(3, -1)
    changed = random_crop(tf.constant(ramp.repeat(200, 0), "uint8"), seed(0)).numpy()[..., 0]
    rising = changed[:, 16, -1].astype(int) > changed[:, 16, 0]
    assert 0.35 < rising.mean() < 0.65
    span = np.abs(changed[:, 16, -1].astype(int) - changed[:, 16, 0]) / 250
    assert span.min() > 0.7 and span.max() <= 1.0


def test_hole_is_grey_and_no_larger_than_asked():
    holes = random_hole(tf.zeros((300, 40, 40, 3), "uint8"), seed(0), largest=0.5).numpy()
    assert set(np.unique(holes)) == {0, 127}
    share = (holes[..., 0] == 127).mean((1, 2))
    assert 0.15 < share.max() <= 0.28


@pytest.mark.parametrize("index", range(len(OPERATIONS)))
def test_every_operation_changes_and_stays_in_range(index):
    photos = tf.constant(np.random.default_rng(0).integers(40, 200, (6, 20, 20, 3)), "uint8")
    changed = OPERATIONS[index](photos, seed(4))
    assert (changed.dtype, changed.shape) == (tf.uint8, photos.shape)
    assert np.abs(changed.numpy().astype(int) - photos.numpy()).mean() > 1


def test_operations_are_what_they_say():
    photos = tf.constant(np.random.default_rng(0).integers(40, 200, (6, 20, 20, 3)), "uint8")
    stretch, invert = OPERATIONS[-2:]
    assert stretch(photos, seed(0)).numpy().min() == 0
    assert stretch(photos, seed(0)).numpy().max() == 255
    np.testing.assert_array_equal(invert(photos, seed(0)), 255 - photos.numpy())
    assert len(np.unique(OPERATIONS[-3](photos, seed(0)))) <= 16


def test_strong_changes_differ_more_than_weak_ones_and_mixed_are_both():
    photos = tf.constant(np.random.default_rng(0).integers(40, 200, (40, 20, 20, 3)), "uint8")
    shades = [
        [len(np.unique(image)) for image in change(photos, seed(2)).numpy()]
        for change in (random_crop, random_mixed, random_strong)
    ]
    extremes = [np.mean([n < 100 or n > 170 for n in part]) for part in shades]
    assert extremes[0] < extremes[1] < extremes[2]
