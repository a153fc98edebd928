"""Methods that scale images by themselves refuse those that were scaled before."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import SHOT
from keras_dtl.methods.inputs import check_pixels
from tests.methods.separation import test_gmv as gmv
from tests.methods.separation import test_swap_vae as swap_vae
from tests.methods.style import test_fast_style as style
from tests.methods.translation import test_translation as translation
from tests.networks import CLASSES, SHAPE, dense, encoder


def images(count=2):
    return np.random.default_rng(0).integers(0, 256, (count, *SHAPE)).astype("uint8")


def pairs():
    return translation.images(2), translation.images(2, 1)


CASES = {
    "pix2pix": (translation.pix2pix, pairs),
    "cyclegan": (lambda: translation.cyclegan(pool_size=0), pairs),
    "swap_vae": (swap_vae.swap_vae, swap_vae.batch),
    "gmv": (gmv.gmv, swap_vae.batch),
    "cgmv": (gmv.cgmv, swap_vae.batch),
    "fast_style": (style.make, style.photos),
    "shot": (lambda: SHOT(encoder(), dense(CLASSES)), lambda: {"target": images()}),
}


def scaled(batch, change):
    def each(part):
        part = np.asarray(part)
        return change(part.astype("float32")) if part.ndim == 4 else part

    return tf.data.Dataset.from_tensors(tf.nest.map_structure(each, batch))


@pytest.mark.parametrize("name", CASES)
def test_images_that_were_scaled_before_are_refused(name):
    make, batch = CASES[name]
    model = make()
    players = dict.fromkeys(model.player_optimizers, "sgd")
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=True, **players)
    for change in (lambda x: x / 255.0, lambda x: x / 127.5 - 1.0):
        with pytest.raises(ValueError, match="division by 255"):
            model.fit(scaled(batch(), change), verbose=0)
    model.fit(scaled(batch(), lambda x: x), verbose=0)


@pytest.mark.parametrize("name", ["pix2pix", "swap_vae", "cgmv", "fast_style"])
def test_predictions_of_scaled_images_are_refused(name):
    make, batch = CASES[name]
    parts = tf.nest.flatten(batch())
    arrays = [np.asarray(part) / 255 for part in parts if len(part.shape) == 4]
    pair = {"swap_vae": arrays[:2], "cgmv": [arrays[0], np.zeros((len(arrays[0]), 2))]}
    with pytest.raises(ValueError, match="division by 255"):
        make().predict(pair.get(name, arrays[0]), verbose=0)


def test_arrays_are_looked_at_too():
    a, b = pairs()
    model = translation.pix2pix()
    model.compile("sgd", discriminator_optimizer="sgd")
    with pytest.raises(ValueError, match="division by 255"):
        model.fit(np.asarray(a), np.asarray(b) / 127.5 - 1.0, verbose=0)


def test_networks_of_floats_that_scale_by_themselves_refuse_scaled_images_too():
    image = keras.Input(SHAPE)
    scaled = keras.Model(image, keras.layers.Rescaling(1 / 255)(image), name="inner")
    network = keras.Model(image, keras.layers.Flatten()(scaled(image)), name="outer")
    x = np.random.default_rng(0).uniform(size=(4, *SHAPE)).astype("float32")
    with pytest.raises(ValueError, match="'outer' scales them itself, in 'rescaling"):
        check_pixels(x, network)
    check_pixels(255 * x, network)
    check_pixels(x - 0.5, network)  # no pixels: nobody knows
    check_pixels(x, keras.Model(image, keras.layers.Flatten()(image)))
