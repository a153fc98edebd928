"""Large and even images through every graph of an artifact, beside Keras in float64.

    python scripts/benchmarks/large_images.py

An instance-normalised generator of random weights, sky, fog, white, black and a photo of 12
megapixels: the largest difference from Keras in float64, in grey levels before these are rounded,
of the float32, float16 and int8 graphs, whole and in tiles. Each runs in a process of its own, and
Keras in another, which takes about 12 GB. What results/large_images.json holds already is kept.
"""

import argparse
import functools
import json
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from record import in_a_process, run_missing

from keras_dtl.backbones import patch_discriminator, resnet_generator
from keras_dtl.convert import Options, load_artifact
from keras_dtl.convert.tiles.tiling import Tiler
from keras_dtl.export import export_model
from keras_dtl.images import resize_image, write_image
from keras_dtl.layers import InstanceNormalization
from keras_dtl.layers.instance_normalization import EVEN
from keras_dtl.methods import CycleGAN

SIZE = (3000, 4000)
KINDS = ("sky", "fog", "white", "black", "photo")
GRAPHS = ("float32", "float32 in tiles", "float16", "int8")
TILE, STRIP = 1024, 200


def image_of(kind, size=SIZE):
    """Return one image, uint8 `(height, width, 3)`."""
    height, width = size
    random = np.random.default_rng(0)
    if kind == "photo":
        from sklearn.datasets import load_sample_image

        return resize_image(load_sample_image("china.jpg"), size)
    if kind in ("white", "black"):
        return np.full((height, width, 3), 255 if kind == "white" else 0, np.uint8)
    color, rise, noise = ([120, 170, 230], 20, 1.5) if kind == "sky" else ([201] * 3, 1, 0.3)
    plane = np.float32(color) + np.linspace(0, rise, height, dtype="float32")[:, None, None]
    plane = plane + random.normal(0, noise, (height, width, 3)).astype("float32")
    return plane.clip(0, 255).round().astype(np.uint8)


class Exact(keras.layers.Layer):
    """Instance normalisation in float64, an even plane being even by the same rule."""

    def __init__(self, weights, epsilon, **kwargs):
        super().__init__(dtype="float64", **kwargs)
        self.values, self.epsilon = [np.asarray(weight, "float64") for weight in weights], epsilon

    def call(self, x):
        mean, variance = tf.nn.moments(x, (1, 2), keepdims=True)
        gamma, beta = self.values
        inverse = tf.where(variance > (EVEN * mean) ** 2, 1 / tf.sqrt(variance + self.epsilon), 0)
        return (x - mean) * inverse * gamma + beta


class Strips(keras.layers.Layer):
    """A convolution without padding, of a strip at a time.

    TensorFlow writes out what each position of a float64 kernel sees: 14 GB at once for 7x7.
    """

    def __init__(self, convolution):
        super().__init__(dtype="float64", name=convolution.name)
        self.convolution = convolution

    def call(self, x):
        if x.shape[1] is None:  # while the copy is built
            return self.convolution(x)
        more = self.convolution.kernel_size[0] - 1
        begins = range(0, x.shape[1] - more, STRIP)
        return tf.concat([self.convolution(x[:, i : i + STRIP + more]) for i in begins], 1)


def in_float64(network):
    """Return a copy of a network that computes in float64."""

    def copy(layer):
        if isinstance(layer, InstanceNormalization):
            factors = [getattr(layer, "gamma", 1), getattr(layer, "beta", 0)]
            return Exact(factors, layer.epsilon, name=layer.name)
        exact = type(layer).from_config(layer.get_config() | {"dtype": "float64"})
        is_large = isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (7, 7)
        if not is_large:
            return exact
        exact.build((1, None, None, layer.kernel.shape[2]))
        exact.set_weights(layer.get_weights())
        return Strips(exact)

    clone = keras.models.clone_model(network, clone_function=copy)
    for layer in clone.layers:
        if not isinstance(layer, Exact | Strips):
            layer.set_weights(network.get_layer(layer.name).get_weights())
    return clone


def model_of():
    keras.utils.set_random_seed(0)
    generators = [resnet_generator((None, None, 3), filters=8, blocks=1) for _ in range(2)]
    judges = [patch_discriminator(filters=8, normalization="instance") for _ in range(2)]
    return CycleGAN(*generators, *judges, pool_size=0)


def export(folder):
    """Write the artifact; nothing is learnt."""
    photo = image_of("photo", (512, 768))
    for index in range(24):
        row, column = index // 6 * 96, index % 6 * 96
        write_image(folder / "photos" / f"{index}.png", photo[row : row + 128, column:][:, :128])
    options = {"precisions": ("float16", "int8"), "calibration": folder / "photos"}
    export_model(model_of(), folder / "artifact", least_quality=10.0, **options)


def write_truth(kind, path):
    """Write what Keras makes of an image in float64, in grey levels that are not rounded."""
    network = in_float64(model_of().deployed)
    signed = image_of(kind)[None].astype("float64") / 127.5 - 1
    np.save(path, (np.asarray(network(signed, training=False))[0] + 1) * 127.5)


def compare(kind, graph, folder):
    """Return the largest and the mean difference of one graph on one image, in grey levels."""
    image, precision = image_of(kind)[None], graph.split()[0]
    artifact = load_artifact(folder / "artifact", "cpu", precision=precision)
    side = TILE if graph.endswith("tiles") else 0
    received = next(iter(Tiler(artifact, Options(tile=side))(image).values()))[0]
    difference = np.abs(received - np.load(folder / f"{kind}.npy"))
    return {"largest": float(difference.max()), "mean": float(difference.mean())}


def measure(folder, kind, graph):
    """Return what `compare` finds, in a process of its own."""
    steps = {folder / "artifact": ["export"], folder / f"{kind}.npy": ["truth", kind]}
    for made, words in steps.items():
        if not made.exists():
            in_a_process(__file__, "--folder", folder, "--do", *words)
    return in_a_process(__file__, "--folder", folder, "--do", "compare", kind, graph)


def do(folder, step, *words):
    """Do one step, and print what it found."""
    if step == "compare":
        print(json.dumps(compare(*words, folder)))
        return
    export(folder) if step == "export" else write_truth(words[0], folder / f"{words[0]}.npy")
    print("{}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, help="begin no run after so many")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--do", nargs="+", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.do:
        do(words.folder, *words.do)
        return
    runs = [(kind, graph) for kind in KINDS for graph in GRAPHS]
    result = lambda kept: {"size": list(SIZE), "tile": TILE}  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        run = functools.partial(measure, Path(folder))
        run_missing("large_images", runs, run, result, words.minutes)


if __name__ == "__main__":
    main()
