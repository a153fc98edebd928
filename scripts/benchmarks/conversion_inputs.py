"""What the benchmark of conversion runs on: artifacts and folders of images, made once."""

import contextlib
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.files import atomic_path


def call_apart(function, *arguments):
    """Call a function in a process of its own, where nothing that another loaded counts."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def data_folder():
    """Return the folder of real data sets."""
    folder = os.environ.get("KERAS_DTL_DATA")
    if not folder:
        raise SystemExit("error: KERAS_DTL_DATA must name the folder of data sets.")
    return Path(folder)


def photos(count):
    """Return paths of real JPEGs, upright and lying ones by turns as their names fall."""
    found = sorted((data_folder() / "bsds500").rglob("*.jpg"))
    if len(found) < count:
        raise SystemExit(f"error: {count} photos are needed; bsds500 holds {len(found)}.")
    return found[:count]


def make_once(path, make, *arguments):
    """Return `path` after `make(path, *arguments)` made it, in a process of its own, if need be."""
    if not path.exists():
        call_apart(make, path, *arguments)
    return path


@contextlib.contextmanager
def _folder(path):
    with atomic_path(path) as folder:
        folder.mkdir()
        yield folder


def generator(path, filters, blocks, size=None, normalization="instance", **options):
    """Export the generator of CycleGAN with the weights that it starts from.

    Batch normalisation gets the statistics of a photo, without which it would do nothing.
    """
    import keras

    from keras_dtl import backbones
    from keras_dtl.export import export_model
    from keras_dtl.methods.translation.translation import deployable_generator

    keras.utils.set_random_seed(0)
    network = backbones.resnet_generator(
        (None, None, 3), filters=filters, blocks=blocks, normalization=normalization
    )
    if normalization == "batch":
        for layer in network.layers:
            layer.momentum = 0.0
        photo = enlarge(np.asarray(Image.open(photos(1)[0])), (128, 192))
        network(photo[None] / np.float32(127.5) - 1, training=True)
    model = deployable_generator(network, "generator")
    options |= {"image_size": size, "size_multiple": 4, "opset": 18}
    export_model(model, path, task="image_to_image", **options)


def int8_start(path):
    """Export the whole generator in int8, too, whatever that does to its first images."""
    with tempfile.TemporaryDirectory() as folder:
        for photo in photos(8):
            (Path(folder) / photo.name).write_bytes(photo.read_bytes())
        options = {"precisions": ("int8",), "calibration": folder, "least_quality": 0.0}
        generator(path, 64, 9, (256, 256), **options)


def train_generator(path, steps=150):
    """Train the published ResNet-9 to paint: photos become smooth and strong in colour."""
    import keras
    from PIL import ImageEnhance, ImageFilter

    from keras_dtl import backbones

    keras.utils.set_random_seed(0)
    network = backbones.resnet_generator((None, None, 3), filters=64, blocks=9)
    network.compile(keras.optimizers.Adam(2e-4, 0.5), "mean_absolute_error")
    random = np.random.default_rng(0)
    files = sorted((data_folder() / "monet2photo" / "trainB").glob("*.jpg"))
    for _ in range(steps):
        photo = Image.open(files[random.integers(len(files))]).convert("RGB")
        painting = ImageEnhance.Color(photo.filter(ImageFilter.MedianFilter(7))).enhance(1.5)
        top, left = random.integers(0, 129, 2)
        box = (left, top, left + 128, top + 128)
        pair = (np.asarray(one.crop(box))[None] for one in (photo, painting))
        network.train_on_batch(*(one / np.float32(127.5) - 1 for one in pair))
    path.parent.mkdir(parents=True, exist_ok=True)
    network.save(path)


def export_trained(path, network, least_quality, *precisions):
    """Export a trained generator for both runtimes, calibrated on photos that it knows."""
    import keras

    import keras_dtl.layers  # noqa: F401 (registers what saved models name)
    from keras_dtl.export import export_model
    from keras_dtl.methods.translation.translation import deployable_generator

    model = deployable_generator(keras.saving.load_model(network, compile=False), "generator")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("monet2photo/trainB", "bsds500"):
            for photo in sorted((data_folder() / name).rglob("*.jpg"))[:12]:
                (Path(folder) / photo.name).write_bytes(photo.read_bytes())
        export_model(
            model,
            path,
            task="image_to_image",
            size_multiple=4,
            precisions=precisions,
            runtimes=("onnxruntime", "openvino"),
            calibration=folder,
            least_quality=least_quality,
        )


def psnr(one, other):
    """Return the decibels by which an image differs from another; equal ones get 88."""
    error = np.mean((one.astype(float) - other) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-4)))


def enlarge(image, size):
    """Return a uint8 image in another (height, width)."""
    return np.array(Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC))


def write_large_photo(path, size):
    """Write a photo of many pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        picture = Image.fromarray(enlarge(np.asarray(Image.open(photos(1)[0])), size))
        picture.save(temporary, "PNG", compress_level=1)


def copy_photos(path, count):
    """Make a folder of photos."""
    with _folder(path) as folder:
        for photo in photos(count):
            (folder / photo.name).write_bytes(photo.read_bytes())


def undisturbed_conversion(path, artifact, source):
    """Convert a folder without any disturbance."""
    import keras_dtl
    from keras_dtl.convert import convert_folder

    report = convert_folder(keras_dtl.load_artifact(artifact, "cpu"), source, path, gallery=0)
    if report.exit_status:
        raise RuntimeError(f"{source} could not be converted: {report.failed}")


def convert_command(artifact, source, out):
    """Begin a conversion as a command, in a process of its own."""
    words = ["convert", artifact, source, out, "--device", "cpu", "--gallery", "0"]
    return subprocess.Popen(
        [sys.executable, "-m", "keras_dtl.cli", *map(str, words)], stdout=subprocess.DEVNULL
    )


def classifier(path):
    """Export the digit network of Ganin et al. after two passes through MNIST."""
    import keras

    from keras_dtl import backbones
    from keras_dtl.export import export_model

    keras.utils.set_random_seed(0)
    encoder = backbones.lenet((28, 28, 3))
    head = keras.layers.Dense(10, activation="softmax", name="probabilities")
    model = keras.Model(encoder.input, head(encoder.output))
    model.compile(
        keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(*digits("train"), batch_size=128, epochs=2, verbose=2)
    export_model(model, path, task="classification")


def with_int8(path, source, calibration):
    """Export the model of an artifact once more, with an int8 graph."""
    import keras

    import keras_dtl.layers  # noqa: F401 (registers what saved models name)
    from keras_dtl.export import export_model
    from keras_dtl.manifest import read_manifest

    manifest = read_manifest(source)
    export_model(
        keras.saving.load_model(source / "model.keras", compile=False),
        path,
        task=manifest.task,
        classes=manifest.classes,
        image_size=manifest.preprocessing.resize,
        size_multiple=manifest.preprocessing.size_multiple,
        settings=manifest.settings,
        precisions=("int8",),
        calibration=calibration,
    )


def digits(split):
    """Return images and labels of MNIST, the images in three channels."""
    import tensorflow_datasets as tfds

    found = tfds.load("mnist", split=split, batch_size=-1)
    images = np.repeat(np.asarray(found["image"]), 3, axis=-1)
    return images, np.asarray(found["label"])


def digit_files(path, split, count):
    """Write digits as PNG files whose names say their class."""
    with _folder(path) as folder:
        for index, (image, label) in enumerate(zip(*digits(split), strict=True)):
            if index == count:
                break
            Image.fromarray(image).save(folder / f"{index:05}_{label}.png")


def photos_of_many_sizes(path, count):
    """Write crops of real photos of sizes that hardly repeat."""
    random = np.random.default_rng(0)
    sources = [np.asarray(Image.open(file)) for file in photos(100)]
    with _folder(path) as folder:
        for index in range(count):
            height, width = random.integers(64, 193, 2)
            crop = sources[index % len(sources)][:height, :width]
            Image.fromarray(crop).save(folder / f"{index:05}.jpg", quality=90)
