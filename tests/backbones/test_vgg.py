import keras
import numpy as np
import pytest

from keras_dtl.backbones import normalize_activations, save_vgg19, vgg19_features
from keras_dtl.backbones.vgg import IMAGENET_MEAN, LAYERS

WIDTHS = (64, 128, 256, 512, 512)


def image(size=(16, 20), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (1, *size, 3)).astype("float32")


def arrays(layers, seed=0):
    """Random weights in the form of the .npz, as `keras.applications` names them."""
    random, found, before = np.random.default_rng(seed), {}, 3
    for layer in layers:
        width = WIDTHS[int(layer[4]) - 1]
        name = f"block{layer[4]}_conv{layer[6]}"
        kernel = random.normal(0, (2 / (9 * before)) ** 0.5, (3, 3, before, width))
        found[f"{name}/kernel"] = kernel.astype("float16")
        found[f"{name}/bias"] = random.normal(0, 0.1, width).astype("float16")
        before = width
    return found


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "vgg19.npz"
    np.savez(path, **arrays(LAYERS[:3]))
    return path


def test_layers_have_the_published_names_widths_and_sizes():
    network = vgg19_features(("conv1_1", "conv2_2", "conv3_1"), weights=None)
    shapes = {name: output.shape for name, output in network(image((33, 40))).items()}
    assert shapes == {
        "conv1_1": (1, 33, 40, 64),
        "conv2_2": (1, 16, 20, 128),
        "conv3_1": (1, 8, 10, 256),
    }
    assert network.trainable_variables == []
    assert len(network.weights) == 2 * 5  # nothing beyond the deepest layer


def test_features_equal_those_of_keras_with_max_pooling(weights):
    network = vgg19_features(("conv1_2", "conv2_1"), weights, pooling="max")
    x = keras.Input((None, None, 3))
    y, found = x, arrays(LAYERS[:3])
    for name in ("block1_conv1", "block1_conv2", "pool", "block2_conv1"):
        if name == "pool":
            y = keras.layers.MaxPooling2D(2)(y)
            continue
        layer = keras.layers.Conv2D(
            found[f"{name}/bias"].size, 3, padding="same", activation="relu"
        )
        y = layer(y)
        layer.set_weights(
            [found[f"{name}/{part}"].astype("float32") for part in ("kernel", "bias")]
        )
    expected = keras.Model(x, y)(keras.applications.vgg19.preprocess_input(image()))
    np.testing.assert_allclose(network(image())["conv2_1"], expected, rtol=1e-4, atol=1e-3)


def test_average_pooling_averages():
    network = vgg19_features(("conv1_2", "conv2_1"), weights=None)
    below = network(image())["conv1_2"].numpy()
    pooled = below.reshape(1, 8, 2, 10, 2, 64).mean((2, 4))
    expected = network.get_layer("conv2_1")(pooled)
    np.testing.assert_allclose(network(image())["conv2_1"], expected, rtol=1e-4, atol=1e-4)


def test_mean_of_imagenet_is_subtracted():
    network = vgg19_features(("conv1_1",), weights=None)
    average = np.broadcast_to(np.array(IMAGENET_MEAN, "float32"), (1, 4, 4, 3))
    np.testing.assert_allclose(network(average)["conv1_1"], 0, atol=1e-3)


def test_normalised_filters_have_mean_activation_1_and_the_same_ratios(weights, tmp_path):
    network = vgg19_features(("conv1_2", "conv2_1"), weights)
    before = {name: np.array(maps) for name, maps in network(image()).items()}
    normalize_activations(network, [image()[0]])
    after = {name: np.array(maps) for name, maps in network(image()).items()}
    for name in before:
        mean = before[name].mean((0, 1, 2))
        np.testing.assert_allclose(after[name].mean((0, 1, 2))[mean > 0], 1, rtol=1e-3)
        np.testing.assert_allclose(
            after[name] * np.where(mean > 0, mean, 1), before[name], rtol=1e-3, atol=1e-3
        )
    save_vgg19(network, tmp_path / "normalised.npz")
    again = vgg19_features(("conv2_1",), tmp_path / "normalised.npz")
    np.testing.assert_allclose(again(image())["conv2_1"], after["conv2_1"], rtol=1e-5)
    with pytest.raises(ValueError, match="at least one image"):
        normalize_activations(network, [])


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_files_of_keras_applications_are_read(suffix, tmp_path):
    published = keras.applications.VGG19(weights=None, include_top=False)
    path = tmp_path / f"vgg19{suffix}"
    published.save(path) if suffix == ".keras" else published.save_weights(path)
    network = vgg19_features(("conv2_1",), path)
    kernel = published.get_layer("block2_conv1").get_weights()[0]
    np.testing.assert_array_equal(network.get_layer("conv2_1").get_weights()[0], kernel)


@pytest.mark.slow
@pytest.mark.parametrize("other", [keras.applications.VGG16, keras.applications.MobileNetV2])
def test_weights_of_another_network_are_refused(other, tmp_path):
    other(weights=None, include_top=False).save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match="does not hold the weights of VGG19"):
        vgg19_features(weights=tmp_path / "other.weights.h5")


def test_unusable_weights_are_named(weights, tmp_path):
    with pytest.raises(ValueError, match=r"block2_conv2/kernel must have shape .* nothing"):
        vgg19_features(("conv2_2",), weights)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz: No such file"):
        vgg19_features(("conv1_1",), tmp_path / "nowhere.npz")
    wrong = arrays(LAYERS[:1])
    wrong["block1_conv1/bias"] = np.full(64, np.nan, "float32")
    np.savez(tmp_path / "nan.npz", **wrong)
    with pytest.raises(ValueError, match="NaN"):
        vgg19_features(("conv1_1",), tmp_path / "nan.npz")
    (tmp_path / "text.npz").write_text("no weights")
    with pytest.raises(ValueError, match="does not hold the weights"):
        vgg19_features(("conv1_1",), tmp_path / "text.npz")


def test_without_connection_the_error_says_what_to_do(monkeypatch):
    def offline(**arguments):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG19", offline)
    with pytest.raises(OSError, match="--weights"):
        vgg19_features()


def test_unknown_layers_and_pooling_are_refused():
    with pytest.raises(ValueError, match="conv6_1"):
        vgg19_features(("conv1_1", "conv6_1"), weights=None)
    with pytest.raises(ValueError, match="pooling"):
        vgg19_features(weights=None, pooling="mean")


@pytest.mark.parametrize("scale", [1 / 255, 257])
def test_scaled_images_are_no_images_to_normalize_by(scale):
    network = vgg19_features(("conv1_1",), None)
    with pytest.raises(ValueError, match="images .height, width, 3. in 0..255. Received: float"):
        normalize_activations(network, [np.full((16, 16, 3), 200.0) * scale])
