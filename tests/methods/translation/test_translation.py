"""What pix2pix and CycleGAN share."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_dtl.backbones import resnet_generator, unet
from keras_dtl.callbacks import Checkpoint
from keras_dtl.layers import InstanceNormalization
from keras_dtl.methods import CycleGAN, Pix2Pix
from keras_dtl.methods.any_size import least_size, size_multiple
from keras_dtl.methods.networks import nested_layers
from keras_dtl.methods.signed_images import to_signed
from keras_dtl.methods.translation.translation import deployable_generator

SIZE = (8, 8)


def images(count, seed=0, channels=3, low=0, high=256, size=SIZE):
    random = np.random.default_rng(seed)
    return random.integers(low, high, (count, *size, channels)).astype("uint8")


def generator(channels=(3, 3), normalization=None, dropout=0.0, size=SIZE, name="generator"):
    image = keras.Input((*size, channels[0]))
    x = layers.Conv2D(6, 3, padding="same")(image)
    x = x if normalization is None else normalization()(x)
    x = layers.Dropout(dropout)(layers.ReLU()(x)) if dropout else layers.ReLU()(x)
    x = layers.Conv2D(channels[1], 3, padding="same")(x)
    return keras.Model(image, layers.Activation("tanh", dtype="float32")(x), name=name)


def discriminator(channels=3, normalization=None, size=SIZE, name="discriminator"):
    image = keras.Input((*size, channels))
    x = layers.Conv2D(6, 4, strides=2)(image)
    x = x if normalization is None else normalization()(x)
    x = layers.LeakyReLU(0.2)(x)
    return keras.Model(image, layers.Conv2D(1, 2, dtype="float32")(x), name=name)


def compiled(model, optimizer=keras.optimizers.SGD, rate=0.01, **arguments):
    model.compile(optimizer(rate), discriminator_optimizer=optimizer(rate), **arguments)
    return model


def pix2pix(normalization=None, dropout=0.0, of_discriminator=None, **arguments):
    conditional = arguments.get("conditional", True)
    networks = (
        generator(normalization=normalization, dropout=dropout),
        discriminator(6 if conditional else 3, of_discriminator),
    )
    return Pix2Pix(*networks, **arguments)


def cyclegan(normalization=None, dropout=0.0, of_discriminator=None, **arguments):
    generators = [generator(normalization=normalization, dropout=dropout) for _ in range(2)]
    discriminators = [discriminator(3, of_discriminator) for _ in range(2)]
    return CycleGAN(*generators, *discriminators, **{"pool_size": 2, **arguments})


def values(variables):
    return [keras.ops.convert_to_numpy(v).copy() for v in variables]


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def differ(first, second):
    return all((a != b).any() for a, b in zip(first, second, strict=True))


METHODS = {"pix2pix": pix2pix, "cyclegan": cyclegan}


GAMES = [
    *((pix2pix, game) for game in ("vanilla", "least_squares", "hinge", "wgan_gp")),
    (cyclegan, "least_squares"),
    *(
        pytest.param(cyclegan, game, marks=pytest.mark.slow)
        for game in ("vanilla", "hinge", "wgan_gp")
    ),
]


@pytest.mark.parametrize(("make", "adversarial"), GAMES)
def test_every_game_moves_both_players(make, adversarial):
    model = compiled(make(adversarial=adversarial))
    variables = [v for group in model.optimized_variables().values() for v in group]
    kernels = [v for v in variables if v.path.endswith("kernel")]
    before = values(kernels)
    logs = model.train_step((images(2), images(2, 1)))
    assert differ(before, values(kernels))
    assert np.isfinite([float(value) for value in logs.values()]).all()


@pytest.mark.parametrize(
    "make",
    [METHODS["pix2pix"], pytest.param(METHODS["cyclegan"], marks=pytest.mark.slow)],
    ids=["pix2pix", "cyclegan"],
)
def test_interrupted_training_ends_where_an_uninterrupted_one_does(make, tmp_path):
    """Networks, optimizers, pools, the pools' coins and dropout's masks."""

    def data(first_step):
        batches = [(images(2, 2 * step), images(2, 2 * step + 1)) for step in range(first_step, 8)]
        return tf.data.Dataset.from_generator(
            lambda: iter(batches),
            output_signature=(tf.TensorSpec((2, *SIZE, 3), "uint8"),) * 2,
        )

    def fit(folder, epochs):
        keras.utils.set_random_seed(3)
        # Eagerly: three traced training steps would take most of the time.
        model = compiled(make(dropout=0.5), keras.optimizers.Adam, run_eagerly=True)
        if epochs == 4:
            keras.utils.set_random_seed(77)  # what is not restored would show
        checkpoint = Checkpoint(folder)
        done = checkpoint.restore(model)
        model.fit(
            data(2 * done),
            initial_epoch=done,
            epochs=epochs,
            steps_per_epoch=2,
            callbacks=[checkpoint],
            verbose=0,
        )
        return model

    whole = fit(tmp_path / "whole", 4)
    fit(tmp_path / "parts", 2)
    parts = fit(tmp_path / "parts", 4)
    assert_same(values(whole.variables), values(parts.variables))
    for name in whole.optimized_variables():
        assert_same(values(getattr(whole, name).variables), values(getattr(parts, name).variables))


@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
def test_saved_model_gives_the_same_images(make, tmp_path):
    model = compiled(make(adversarial="hinge"))
    model.train_step((images(2), images(2, 1)))
    model.build_optimizers()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.adversarial == "hinge"
    assert_same(values(model.weights), values(loaded.weights))
    np.testing.assert_array_equal(loaded(images(2)), model(images(2)))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
def test_mixed_precision_trains(make, policy):
    keras.config.set_dtype_policy(policy)
    model = compiled(make(normalization=InstanceNormalization))
    logs = model.train_step((images(2), images(2, 1)))
    assert all(value.dtype == "float32" and np.isfinite(value) for value in logs.values())


def test_one_pass_over_both_equals_two_passes():
    model = pix2pix(of_discriminator=InstanceNormalization)
    real, generated = (to_signed(images(3, seed, channels=6)) for seed in (0, 1))
    together = model.judgement(model.discriminator, real, generated)
    apart = model.discriminator(real), model.discriminator(generated)
    for a, b in zip(together, apart, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_batch_normalisation_sees_real_and_generated_images_apart():
    model = pix2pix(of_discriminator=layers.BatchNormalization)
    dark, light = to_signed(images(3, channels=6, high=50)), to_signed(images(3, 1, 6, 200))
    for a, b in zip(
        model.judgement(model.discriminator, dark, light),
        (model.discriminator(dark, training=True), model.discriminator(light, training=True)),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_deployed_batch_gives_what_each_image_gives_alone():
    network = unet((16, 16, 3), filters=4)
    deployed = deployable_generator(network, "pix2pix")
    x = images(3, size=(16, 16))
    together = deployed(x).numpy()
    assert together.dtype == "uint8"
    assert np.abs(together[1:] - together[:1].astype(int)).max() > 0
    for index in range(3):
        alone = deployed(x[index : index + 1]).numpy()[0]
        assert np.abs(together[index].astype(int) - alone).max() <= 1  # sums in another order


def test_deployed_image_is_what_training_made_of_it_alone():
    network = unet((16, 16, 3), filters=4, dropout=0)
    x = images(1, size=(16, 16))
    trained = network(to_signed(x), training=True).numpy()
    expected = np.round((trained + 1) * 127.5)
    received = deployable_generator(network, "pix2pix")(x).numpy()
    assert np.abs(received - expected).max() <= 1


def test_deployed_generator_follows_the_weights_and_takes_any_size():
    model = pix2pix(normalization=layers.BatchNormalization)
    deployed = model.deployable()
    assert deployed.inputs[0].dtype == "uint8"
    assert (deployed.inputs[0].name, deployed.layers[-1].name) == ("image", "translated")
    assert deployed(images(1, size=(9, 13))).shape == (1, 9, 13, 3)
    before = deployed(images(1)).numpy()
    for weight in model.generator.trainable_weights:
        weight.assign_add(0.1 * tf.ones(weight.shape))
    assert (deployed(images(1)).numpy() != before).any()
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in flat(deployed))


def flat(model):
    return list(nested_layers(model))


def test_size_multiple_is_how_often_the_generator_halves():
    assert size_multiple(unet((16, 16, 3), filters=2)) == 16
    assert pix2pix().size_multiple == 1


HALVING = {
    "pool": lambda x: layers.MaxPooling2D()(x),
    "separable": lambda x: layers.SeparableConv2D(2, 3, 2, padding="same")(x),
    "slices": lambda x: x[:, ::2, ::2],
    "shortcut": lambda x: layers.Add()(
        [layers.Conv2D(2, size, 2, padding="same")(x) for size in (1, 3)]
    ),
}


@pytest.mark.parametrize("halve", HALVING.values(), ids=HALVING)
def test_size_multiple_is_known_however_maps_are_halved(halve):
    image = keras.Input((8, 8, 3))
    x = layers.UpSampling2D(4)(halve(halve(image)))
    assert size_multiple(keras.Model(image, layers.Conv2D(3, 1)(x))) == 4


def test_generators_of_one_size_alone_are_refused():
    image = keras.Input((8, 8, 3))
    network = keras.Model(image, layers.Resizing(8, 8)(layers.Conv2D(3, 1)(image)), name="fixed")
    with pytest.raises(ValueError, match="'fixed', which makes them of one size alone"):
        size_multiple(network)


def test_nested_and_sequential_generators_are_deployed_as_flat_ones():
    inner = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()]
    )
    image = keras.Input((8, 8, 3))
    network = keras.Model(image, layers.Conv2D(3, 1, activation="tanh")(inner(image)))
    x = images(2, size=(9, 13))
    deployed = deployable_generator(network, "nested")
    assert deployed(x).shape == x.shape
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in flat(deployed))
    whole = keras.Sequential([keras.Input((8, 8, 3)), *inner.layers, network.layers[-1]])
    np.testing.assert_array_equal(deployable_generator(whole, "whole")(x), deployed(x))


@pytest.mark.parametrize("padding", ["reflect", "zero"])
def test_smallest_size_that_is_told_can_be_translated(padding):
    network = resnet_generator((8, 8, 3), filters=2, blocks=1, padding=padding)
    side = max(least_size(network), size_multiple(network))
    assert side == {"reflect": 8, "zero": 4}[padding]
    assert size_multiple(network) == 4
    deployed = deployable_generator(network, "generator")
    assert deployed(images(1, size=(side, side))).shape == (1, side, side, 3)


def test_every_level_survives_the_way_into_the_network_and_back():
    x = np.arange(256).astype("uint8")
    signed = to_signed(x).numpy()
    assert (signed.min(), signed.max()) == (-1, 1)
    np.testing.assert_array_equal(np.round((signed + 1) * 127.5), x)


@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
def test_unusable_networks_are_refused(make):
    with pytest.raises(ValueError, match="wgan_gp"):
        make(adversarial="wgan_gp", of_discriminator=layers.BatchNormalization)
    with pytest.raises(ValueError, match="adversarial"):
        make(adversarial="lsgan")
