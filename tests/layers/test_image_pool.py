import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.layers import ImagePool

SHAPE = (2, 2, 1)


def numbered(*values):
    return np.array(values, "float32")[:, None, None, None] * np.ones(SHAPE, "float32")


def numbers(images):
    return [int(image[0, 0, 0]) for image in np.asarray(images)]


def test_while_there_is_room_images_come_back_as_they_are():
    pool = ImagePool(3, SHAPE, seed=0)
    assert numbers(pool(numbered(1, 2))) == [1, 2]
    assert numbers(pool(numbered(3))) == [3]
    assert numbers(pool.images) == [1, 2, 3]


def test_full_pool_exchanges_half_of_them_and_loses_none():
    pool, given, returned = ImagePool(5, SHAPE, seed=0), 0, []
    call = tf.function(pool.call)
    for _ in range(200):
        returned += numbers(call(numbered(given, given + 1)))
        given += 2
    # Every image is either out or still in the pool, and each once.
    assert sorted(returned + numbers(pool.images)) == sorted(list(range(5)) + list(range(given)))
    same = np.mean([image == place for place, image in enumerate(returned)])
    assert 0.4 < same < 0.6


def test_images_of_one_batch_go_one_after_the_other():
    """In a pool of one, what is returned is what was stored last."""
    pool = ImagePool(1, SHAPE, seed=1)
    stored, returned = None, numbers(pool(numbered(*range(1, 30))))
    for image, answer in enumerate(returned, 1):
        assert answer in ((image, stored) if stored else (image,))
        if answer != image or stored is None:
            stored = image
    assert numbers(pool.images) == [stored]


def test_same_state_gives_the_same_images(tmp_path):
    def model():
        x = keras.Input(SHAPE)
        return keras.Model(x, ImagePool(2, SHAPE, seed=0, name="pool")(x))

    first, second = model(), model()
    first(numbered(1, 2, 3, 4))
    first.save_weights(tmp_path / "pool.weights.h5")
    second.load_weights(tmp_path / "pool.weights.h5")
    second.get_layer("pool").random.state.assign(first.get_layer("pool").random.state)
    for start in range(5, 50, 3):
        x = numbered(start, start + 1, start + 2)
        np.testing.assert_array_equal(first(x), second(x))


def test_size_0_stores_nothing():
    pool = ImagePool(0, (None, None, 1))
    assert numbers(pool(numbered(1, 2))) == [1, 2]
    assert pool.weights == []


def test_config_and_arguments():
    pool = ImagePool.from_config(ImagePool(4, SHAPE, seed=3).get_config())
    assert (pool.size, pool.image_shape, pool.seed) == (4, SHAPE, 3)
    with pytest.raises(ValueError, match="image_shape"):
        ImagePool(2, (None, None, 3))
