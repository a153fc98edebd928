import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.backbones import transformer_net
from keras_dtl.layers import ConditionalInstanceNormalization, InstanceNormalization
from keras_dtl.losses import content_loss, style_loss
from keras_dtl.methods import FastStyle
from tests.methods.style.test_style_transfer import LAYERS, picture
from tests.networks import features


def photos(count=4, size=(16, 16)):
    return np.stack([picture(seed, size) for seed in range(count)])


def make(num_styles=1, learnt=True, optimizer=None, **settings):
    generator = transformer_net(filters=4, blocks=1, num_styles=num_styles)
    model = FastStyle(generator, features(), **LAYERS, num_styles=num_styles, **settings)
    if learnt:
        model.learn_styles([picture(10 + number, (20, 24)) for number in range(num_styles)])
    model.compile(optimizer or keras.optimizers.Adam(3e-3))
    return model


def train(model, steps=10, epochs=1):
    data = tf.data.Dataset.from_tensors(photos()).repeat()
    return model.fit(data, epochs=epochs, steps_per_epoch=steps, verbose=0).history


def test_logs_are_the_weighted_terms_of_the_formula():
    model = make(content_weight=2.0, style_weight=3.0, optimizer=keras.optimizers.SGD(0.0))
    logs = {name: float(value) for name, value in model.train_step(photos()).items()}
    generated, images = model(photos()), photos().astype("float32")
    of_photos, of_generated = model.description(images), model.description(generated)
    content = content_loss(
        of_generated["content"]["high"], of_photos["content"]["high"], "relative"
    )
    assert logs["content_loss"] == pytest.approx(2 * float(content), rel=1e-4)
    target = model.describe(picture(10, (20, 24))[None].astype("float32"))["style"]
    style = sum(style_loss(of_generated["style"][k], target[k], "relative") for k in target)
    assert logs["style_loss"] == pytest.approx(3 * float(style), rel=1e-4)
    total = sum(logs[name] for name in model.tracked)
    assert logs["loss"] == pytest.approx(total, rel=1e-5)


@pytest.mark.slow
def test_generator_comes_closer_to_the_style_and_features_stay_as_they_are():
    model = make(content_weight=0.01, variation_weight=0)
    before, frozen = model.distances(photos()), model.features.get_weights()
    train(model, steps=60)
    assert model.distances(photos())["style_loss"] < 0.5 * before["style_loss"]
    for a, b in zip(model.features.get_weights(), frozen):
        np.testing.assert_array_equal(a, b)


def test_a_network_of_ones_own_for_one_size_is_deployed_for_any():
    image = keras.Input((16, 16, 3))
    small = keras.layers.AveragePooling2D(8)(image)
    network = keras.Model(image, keras.layers.Conv2D(3, 1)(keras.layers.UpSampling2D(8)(small)))
    model = FastStyle(network, features(), **LAYERS)
    assert (model.size_multiple, model.least_size, model.trained_size) == (8, 1, (16, 16))
    assert model.deployable()(photos(size=(8, 24))).shape == (4, 8, 24, 3)
    np.testing.assert_array_equal(model.deployable()(photos()), model.answers(model(photos()), ()))


@pytest.mark.slow
def test_saved_model_keeps_styles_and_goes_on_training_alike(tmp_path):
    model = make(num_styles=2)
    train(model, steps=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for layer, gram in model.style_grams.items():
        np.testing.assert_array_equal(loaded.style_grams[layer], gram)
    assert loaded.optimizer.iterations == 2
    np.testing.assert_array_equal(loaded(photos(), style=1), model(photos(), style=1))


@pytest.mark.slow
def test_deployed_network_gives_what_call_gives_for_each_style():
    model = make(num_styles=2)
    train(model, steps=5)
    outputs = [model.deployable(style)(photos()).numpy() for style in (0, 1)]
    for style, output in enumerate(outputs):
        assert output.dtype == np.uint8
        expected = np.clip(model(photos(), style=style), 0, 255)
        np.testing.assert_allclose(output, expected, atol=0.51)
    assert (outputs[0] != outputs[1]).any()
    mixed = model.deployable((0.5, 0.5))(photos()).numpy()
    assert (mixed != outputs[0]).any() and (mixed != outputs[1]).any()


def test_conditional_normalisation_is_the_plain_one_of_the_chosen_style():
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype("float32")
    layer = ConditionalInstanceNormalization()
    layer([x, np.eye(2, dtype="float32")])
    layer.gamma.assign([[1, 2, 3], [4, 5, 6]])
    layer.beta.assign([[0, 0, 1], [1, 0, 0]])
    plain = InstanceNormalization(center=False, scale=False)(x)
    expected = np.stack([plain[0] * [1, 2, 3] + [0, 0, 1], plain[1] * [4, 5, 6] + [1, 0, 0]])
    np.testing.assert_allclose(layer([x, np.eye(2, dtype="float32")]), expected, rtol=1e-5)
    copy = ConditionalInstanceNormalization.from_config(layer.get_config())
    assert copy.epsilon == layer.epsilon


def test_transformer_begins_near_the_photo():
    photo = photos(1).astype("float32") / 127.5 - 1
    change = transformer_net(filters=4, blocks=1)(photo) - photo
    assert 0 < np.abs(change).mean() < 0.2


def test_transformer_keeps_any_size_and_wants_multiples_of_4():
    network = transformer_net(filters=4, blocks=1)
    for size in ((16, 24), (20, 12)):
        output = network(np.zeros((1, *size, 3), "float32"))
        assert output.shape == (1, *size, 3)
    with pytest.raises(ValueError, match="multiples of 4"):
        transformer_net((30, 32, 3))


@pytest.mark.slow
def test_exported_network_runs_over_a_folder_of_mixed_sizes(tmp_path):
    from keras_dtl.convert import convert_folder, load_artifact
    from keras_dtl.export import export_model
    from keras_dtl.images import read_image, write_image

    model = make()
    export_model(model, tmp_path / "artifact")
    sizes = {"a.png": (16, 16), "deep/b.jpg": (33, 50), "c.png": (61, 18)}
    for name, size in sizes.items():
        write_image(tmp_path / "photos" / name, picture(0, size))
    artifact = load_artifact(tmp_path / "artifact")
    report = convert_folder(artifact, tmp_path / "photos", tmp_path / "out")
    assert (report.converted, report.exit_status) == (3, 0)
    for name, size in sizes.items():
        image = read_image((tmp_path / "out" / name).with_suffix(".png"))
        assert image.shape == (*size, 3)


def test_unusable_arguments_are_refused():
    with pytest.raises(ValueError, match="learn_styles"):
        train(make(learnt=False))
    one, two = make(), make(2)
    with pytest.raises(ValueError, match="Expected 1 styles. Received: 2"):
        one.learn_styles(list(photos(2)))
    with pytest.raises(ValueError, match="A style must be a uint8 array"):
        one.learn_styles([picture(1) / 255])
    with pytest.raises(ValueError, match="from 0 to 0. Received: 1"):
        one(photos(1), style=1)
    with pytest.raises(ValueError, match="from 0 to 1. Received: 2"):
        two.deployable(np.int64(2))
    with pytest.raises(ValueError, match="a weight of each of the 2"):
        two.deployable([0.5, 0.3, 0.2])
    with pytest.raises(ValueError, match="num_styles=2"):
        FastStyle(transformer_net(filters=4, blocks=1), features(), **LAYERS, num_styles=2)
