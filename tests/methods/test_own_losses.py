"""Mistakes of users with methods whose losses are their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_dtl.distribution import share_batches
from keras_dtl.losses import adversarial_loss
from keras_dtl.methods import CGMV, GMV, FastStyle, FineTuning, Pix2Pix, SwapVAE
from keras_dtl.methods.given_batches import require_labels, require_pairs, require_photos
from keras_dtl.methods.separation.separation import right_answers
from tests.methods.motion.test_motion_methods import autoencoder, pairs, transfer
from tests.methods.motion.test_motion_methods import batch as motion_batch
from tests.methods.separation.test_gmv import cgmv, code_encoder, gmv
from tests.methods.separation.test_swap_vae import CLASSES as VAE_CLASSES
from tests.methods.separation.test_swap_vae import (
    SIZE,
    STYLE,
    batch,
    decoder,
    discriminator,
    encoder,
    swap_vae,
)
from tests.methods.separation.test_swap_vae import compiled as compiled_separation
from tests.methods.translation.test_translation import (
    compiled,
    cyclegan,
    generator,
    images,
    pix2pix,
)
from tests.methods.translation.test_translation import discriminator as patches
from tests.networks import dense

METHODS = {
    "pix2pix": lambda: compiled(pix2pix()),
    "cyclegan": lambda: compiled(cyclegan()),
    "swap_vae": lambda: compiled_separation(swap_vae()),
    "gmv": lambda: compiled_separation(gmv()),
    "transfer": transfer,
    "autoencoder": autoencoder,
    "pairs": pairs,
}


def features():
    image = keras.Input((None, None, 3))
    return keras.Model(image, {"conv": layers.Conv2D(2, 3)(image)})


@pytest.mark.parametrize("name", METHODS)
def test_losses_metrics_and_evaluation_are_refused_in_words(name):
    model = METHODS[name]()
    players = dict.fromkeys(model.player_optimizers, "sgd")
    with pytest.raises(ValueError, match=r"losses of its paper.*loss='mae'"):
        model.compile("sgd", "mae", **players)
    with pytest.raises(ValueError, match=r"Received: metrics=\['mae'\]"):
        model.compile("sgd", metrics=["mae"], **players)
    with pytest.raises(NotImplementedError, match=r"keras_dtl\.evaluation"):
        model.evaluate(images(2), images(2))


def test_validation_and_weights_are_refused_before_the_training():
    model, pair = compiled(pix2pix()), (images(2), images(2))
    for given in ({"validation_data": pair}, {"validation_split": 0.5}):
        with pytest.raises(NotImplementedError, match="validation_data"):
            model.fit(*pair, verbose=0, **given)
    with pytest.raises(ValueError, match="takes no `sample_weight`"):
        model.fit(*pair, verbose=0, sample_weight=np.ones(2))
    assert not int(model.optimizer.iterations)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((images(2),), "an array of shape"),
        ((tf.data.Dataset.from_tensors({"a": images(2), "b": images(2)}),), "a dictionary of a, b"),
        ((images(2), np.zeros(2)), r"2 parts \(.*\(2,\)"),
        ((tf.data.Dataset.from_tensors((images(2), images(2), np.ones(2))),), "3 parts"),
        (([images(2), images(2)],), "2 parts"),
    ],
)
def test_what_is_no_pair_of_images_is_refused_in_words(data, words):
    with pytest.raises(ValueError, match=rf"(?s)images of A and of B.*Received: .*{words}"):
        compiled(pix2pix()).fit(*data, verbose=0)


def test_pairs_of_another_size_than_the_networks_are_refused():
    with pytest.raises(ValueError, match=r"Images of B .*\(8, 8, 3\).*Received: \(8, 8, 1\)"):
        compiled(pix2pix()).fit(images(2), images(2)[..., :1], verbose=0)


def test_photos_come_alone():
    model = FastStyle(generator(), features(), ("conv",), ("conv",))
    model.compile("sgd")
    for given in ((images(2), np.zeros(2)), (tf.data.Dataset.from_tensors((images(2), 0)),)):
        with pytest.raises(ValueError, match=r"photos alone.*Received: 2 parts"):
            model.fit(*given, verbose=0)


def test_batches_without_a_part_are_refused_in_words():
    data = tf.data.Dataset.from_tensors(batch())
    with pytest.raises(ValueError, match=r"view_batches\(examples, 64\)"):
        compiled_separation(swap_vae()).fit(images(2), np.zeros(2), verbose=0)
    short = data.map(lambda parts: {k: v for k, v in parts.items() if k != "label"})
    with pytest.raises(ValueError, match=r'"label": \.\.\.'):
        compiled_separation(cgmv()).fit(short, verbose=0)


@pytest.mark.parametrize(
    ("dtype", "factor"), [("uint16", 257), ("float32", 257), ("int32", 4), ("uint16", 4)]
)
def test_images_of_more_than_8_bits_are_refused(dtype, factor):
    wide = images(4).astype(dtype) * np.array(factor, dtype)
    with pytest.raises(ValueError, match=f"{dtype} in .*Bring 16 bits to 8"):
        compiled(pix2pix()).fit(wide, wide, verbose=0)
    with pytest.raises(ValueError, match="Bring 16 bits to 8"):
        compiled(pix2pix()).fit(tf.data.Dataset.from_tensors((wide, wide)), verbose=0)
    image = keras.Input((8, 8, 3), dtype="uint8")
    network = keras.Model(image, layers.Flatten()(layers.Rescaling(1 / 127.5, -1)(image)))
    model = FineTuning(network, dense(2, 192))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match="Bring 16 bits to 8"):
        model.fit(wide, np.zeros(4, "int32"), verbose=0)


def test_whole_numbers_of_8_bits_are_images():
    pair = images(2).astype("int64"), images(2).astype("int64")
    assert compiled(pix2pix()).fit(*pair, verbose=0).history["loss"]


def scaled(network, **entry):
    """Return a network that begins with the scaling of pixels."""
    image = keras.Input(network.input_shape[1:], **entry)
    return keras.Model(image, network(layers.Rescaling(1 / 127.5, -1.0)(image)))


def ending(network, activation):
    return keras.Model(network.inputs, layers.Activation(activation)(network.outputs[0]))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pix2Pix(scaled(generator()), patches(6)), "`generator`.*scales once more"),
        (lambda: Pix2Pix(scaled(generator(), dtype="uint8"), patches(6)), "an input of uint8"),
        (lambda: Pix2Pix(generator(), scaled(patches(6))), "`discriminator`.*scales once more"),
        (lambda: Pix2Pix(ending(generator(), "sigmoid"), patches(6)), "`generator`.*End it in t"),
        (lambda: FastStyle(ending(generator(), "relu"), features(), ("conv",), ("conv",)), "tanh"),
        (lambda: FastStyle(scaled(generator()), features(), ("conv",), ("conv",)), "once more"),
        (lambda: GMV(positive(), discriminator()), "`generator`.*End it in tanh"),
        (lambda: SwapVAE(encoder(), positive(), discriminator()), "`decoder`.*End it in tanh"),
        (lambda: CGMV(scaled(code_encoder(3)), decoder(), discriminator()), "`encoder`.*scales"),
        (lambda: GMV(decoder(), discriminator(), named()), "`classifier`.*softmax"),
    ],
)
def test_networks_that_scale_or_squash_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def positive():
    """Return a decoder to 0..1, which is reshaped at its end."""
    codes = [keras.Input((n,), name=k) for n, k in ((3, "content"), (STYLE, "style"))]
    x = layers.Dense(64, activation="sigmoid")(layers.Concatenate()(codes))
    return keras.Model(codes, layers.Reshape(SIZE)(x))


def named():
    image = keras.Input(SIZE)
    x = layers.Dense(VAE_CLASSES, activation="softmax")(layers.Flatten()(image))
    return keras.Model(image, x)


SLOW = pytest.mark.slow
STEPS = {
    "pix2pix": lambda: (compiled(Pix2Pix(plain_generator(), plain_patches())), (images(2),) * 2),
    "swap_vae": lambda: (compiled_separation(swap_vae(mode="leak_free")), batch()),
    "autoencoder": lambda: (autoencoder(), motion_batch()[0]),
    "cgmv": lambda: (compiled_separation(cgmv()), batch()),
    "gmv": lambda: (compiled_separation(gmv(extension=True)), batch()),
    "transfer": lambda: (transfer(), motion_batch()),
}


@pytest.mark.parametrize(
    "name", [pytest.param(k, marks=[SLOW] * (k in ("cgmv", "gmv", "transfer"))) for k in STEPS]
)
def test_networks_of_the_user_train_in_16_bits(name):
    """What ends in float16 meets float32 in the losses."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        model, data = STEPS[name]()
        logs = model.train_step(data)
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    assert all(np.isfinite(float(value)) for value in logs.values())


def plain_generator():
    image = keras.Input((8, 8, 3))
    return keras.Model(image, layers.Conv2D(3, 3, padding="same", activation="tanh")(image))


def plain_patches():
    image = keras.Input((8, 8, 6))
    return keras.Model(image, layers.Conv2D(1, 3)(image))


def test_right_answers_lie_on_either_side_of_the_level_between_the_targets():
    """Least squares reaches for 1 and 0: what it has no opinion of lies at 0.5."""
    real, generated = tf.constant([0.9, 0.5]), tf.constant([0.1, 0.4])
    assert float(right_answers(real, generated)) == 0.5
    boundary = adversarial_loss("least_squares").boundary
    assert float(right_answers(real, generated, boundary)) == 0.75
    # A critic's scale has no middle but its own.
    far = real + 100.0, generated + 100.0
    assert float(right_answers(*far, adversarial_loss("wgan_gp").boundary)) == 1.0


@pytest.mark.parametrize("make", [transfer, autoencoder])
def test_motion_has_no_game_that_lacks_its_penalty(make):
    with pytest.raises(ValueError, match="penalty on the slope this method has not"):
        make(adversarial="wgan_gp")


def test_classes_have_no_slope():
    with pytest.raises(ValueError, match="adversary='pair'"):
        swap_vae("class", adversarial="wgan_gp")


def test_labels_of_motion_are_looked_at():
    motion, labels = motion_batch()[0].numpy(), np.array([1, 2, 3, 1, 2, 3], "int8")
    model = autoencoder(num_classes=3)
    with pytest.raises(ValueError, match="fit.. takes motion and labels"):
        model.fit(motion, verbose=0)
    with pytest.raises(ValueError, match="fit.. takes motion alone"):
        autoencoder().fit(motion, labels, verbose=0)
    for wrong in (labels, labels - 2):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"Labels must lie in 0\.\.2"):
            model.train_step((motion, wrong))
    assert np.isfinite(float(model.train_step((motion, labels - 1))["loss"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Labels must lie in 0\.\.2"):
        model.sample(2, 4, [0, 3])
    with pytest.raises(ValueError, match=r"Labels in 0\.\.2 are needed"):
        model.sample(2, 4)


def test_what_is_shared_among_replicas_or_drawn_is_not_looked_at(two_replicas):
    """Of these batches the parts are known to the training step alone."""
    pair = tf.data.Dataset.from_tensors((images(2), images(2)))
    shared = share_batches(pair, two_replicas)
    for given in (shared, iter(pair), (parts for parts in [(images(2), images(2))])):
        require_pairs(None, given)
        require_photos(None, given)
        require_labels(None, given)


def test_motion_of_another_length_than_is_drawn_is_refused():
    model = pairs()
    motion = tf.zeros((2, 12, *model.generator.output_shape[2:]))
    with pytest.raises(ValueError, match=r"\(8, 7\): its length would tell them apart"):
        model.train_step({"first": motion, "second": motion, "label": tf.zeros(2, "int32")})


def test_domains_of_different_lengths_are_told_how_they_meet():
    with pytest.raises(ValueError, match=r"Received: 3 and 2\. keras_dtl\.data\.unpaired_batches"):
        compiled(cyclegan()).fit(images(3), images(2), verbose=0)


def test_labels_beside_motion_may_be_a_pair_of_any_whole_numbers():
    motion, *labels = motion_batch()
    small = tuple(tf.cast(label, "int8") for label in labels)
    logs = transfer().train_step((motion, small))
    assert np.isfinite(float(logs["loss"]))
