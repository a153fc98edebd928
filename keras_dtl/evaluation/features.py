"""Networks whose features distances between sets of images are measured in."""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from keras_dtl.evaluation.prediction import predict
from keras_dtl.keras_models import read_model

RANDOM = "random"
SIDE = 299  # pixels, that Inception was trained at
APPLICATIONS = {
    "inception_v3": (keras.applications.InceptionV3, SIDE),
    "mobilenet_v2": (keras.applications.MobileNetV2, 224),
}
BATCH = 32


def feature_network(name: str = RANDOM) -> keras.Model:
    """Return a network from uint8 images of any size to feature vectors.

    Figures are comparable only between sets of images seen by the same network. Published FIDs are
    those of one InceptionV3 of 2015, whose weights are not those of `keras.applications`: figures
    of this one are of their kind and do not compare with them.

    Args:
        name: `"inception_v3:PATH"` or `"mobilenet_v2:PATH"`, with the path of the network's
            weights without its classifier, as `keras.applications` publishes them; the path of a
            `.keras` file, whose model takes uint8 images `(batch, height, width, 3)`; or
            `"random"`: a fixed random network, which needs no download and tells textures and
            colours apart, not objects.

    Returns:
        A Keras model from uint8 `(batch, height, width, 3)` to float32 `(batch, features)`.

    Raises:
        ValueError: When the name is none of these, or the model does not give vectors.
        FileNotFoundError: When there is no such file.
    """
    kind, _, path = str(name).partition(":")
    if name == RANDOM:
        return _random_network()
    if kind in APPLICATIONS and path:
        return _application(kind, _require_file(path))
    if str(name).endswith(".keras"):
        return _check_network(read_model(_require_file(name), compile=False), name)
    kinds = ", ".join(f"{known}:PATH" for known in APPLICATIONS)
    raise ValueError(
        f"Received the feature network {name!r}. Expected {RANDOM}, {kinds}, or the path of a "
        ".keras file."
    )


def features_of(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the features of images, float64 `(n, features)`.

    Args:
        network: Such as `feature_network` returns.
        images: uint8 `(n, height, width, channels)`, 0..255, with 1, 3 or 4 channels.
    """
    return predict(network, as_rgb(np.asarray(images)), BATCH).astype("float64")


def as_rgb(images: np.ndarray) -> np.ndarray:
    """Return images with three channels: grey is repeated, alpha dropped.

    Args:
        images: `(..., channels)`, with 1, 3 or 4 channels.
    """
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images[..., :3]


def signed_pixels(image):
    """Return symbolic images in 0..255 as ones in -1..1.

    Args:
        image: Keras tensor `(batch, height, width, channels)`.
    """
    return layers.Rescaling(1 / 127.5, -1.0)(image)


def _require_file(path):
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path} with the weights of a feature network.")
    return path


def _application(kind, path):
    build, side = APPLICATIONS[kind]
    network = build(include_top=False, weights=None, input_shape=(side, side, 3), pooling="avg")
    network.load_weights(path)
    image = keras.Input((None, None, 3), dtype="uint8")
    x = layers.Resizing(side, side)(signed_pixels(image))
    return keras.Model(image, network(x), name=kind)


def _check_network(network, name):
    if len(network.output_shape) != 2 or network.input_shape[-1] != 3:
        raise ValueError(
            f"{name} must take images of 3 channels and give vectors (batch, features). Received: "
            f"{network.input_shape} to {network.output_shape}. End it in a pooling layer."
        )
    return network


def _random_network():
    """Four convolutions of stride 2 with fixed weights; the mean of each map at each level."""
    image = keras.Input((None, None, 3), dtype="uint8")
    x = signed_pixels(image)
    features = []
    for level in range(4):
        start = keras.initializers.HeNormal(seed=level)
        x = layers.Conv2D(64, 3, 2, padding="same", kernel_initializer=start, dtype="float32")(x)
        x = layers.LeakyReLU(0.2, dtype="float32")(x)
        features.append(layers.GlobalAveragePooling2D(dtype="float32")(x))
    return keras.Model(image, layers.Concatenate(dtype="float32")(features), name=RANDOM)
