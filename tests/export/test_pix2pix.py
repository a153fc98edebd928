"""Pix2Pix exported, by each way out of its artifact, beside its own `predict` on new images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.backbones import patch_discriminator, resnet_generator, unet
from keras_dtl.convert import load_artifact
from keras_dtl.export import export_model
from keras_dtl.export.formats.litert import _runner
from keras_dtl.images import write_image
from keras_dtl.manifest import read_manifest
from keras_dtl.methods import Pix2Pix

pytestmark = pytest.mark.slow
SIZE = (16, 16)


def generator(kind, channels=(3, 3), dropout=0.5):
    if kind == "resnet":
        return resnet_generator((None, None, 3), filters=4, blocks=1)
    normalization = {"batch": "batch", "plain": None}.get(kind, "instance")
    size, depth = ((None, None), 3) if kind == "any size" else (SIZE, None)
    options = {"normalization": normalization, "dropout": dropout, "depth": depth}
    return unet((*size, channels[0]), channels[1], filters=4, **options)


def trained(kind, channels=(3, 3)):
    """A few steps, after which the images' contrast is as of photographs."""
    keras.utils.set_random_seed(0)
    judge = patch_discriminator((*SIZE, sum(channels)), 16, filters=4)
    model = Pix2Pix(generator(kind, channels), judge)
    model.compile("adam", discriminator_optimizer="adam")
    pairs = tuple(images(4, seed=seed, channels=each) for seed, each in enumerate(channels))
    model.fit(tf.data.Dataset.from_tensors(pairs).repeat(3), verbose=0)
    for weight in model.generator.trainable_weights:
        if len(weight.shape) == 4:
            weight.assign(weight * (12 if kind == "plain" else 4))
    return model


def images(count, size=SIZE, seed=7, channels=3):
    """Noise, and last a smooth image of hardly any contrast."""
    noise = np.random.default_rng(seed).integers(0, 256, (count, *size, channels), dtype=np.uint8)
    noise[-1] = np.linspace(180, 200, size[0]).astype("uint8")[:, None, None]
    return noise


def expected(model, x, kind):
    """What `predict` gives; of batch normalisation each image's own statistics, as in training."""
    if kind == "batch":
        without_dropout = generator(kind, dropout=0.0)
        without_dropout.set_weights(model.generator.get_weights())
        signed = x.astype("float32") / 127.5 - 1
        answers = [without_dropout(each[None], training=True) for each in signed]
        predictions = np.concatenate([np.asarray(answer) for answer in answers])
    else:
        predictions = model.predict(x, verbose=0)
    answer = ((predictions + 1) * 127.5).round().clip(0, 255)
    assert answer.std() > 20
    return answer


def differs(received, answer):
    assert received.shape == answer.shape
    assert received.dtype == np.uint8
    return np.abs(received - answer).max()


@pytest.mark.parametrize(
    ("kind", "channels"),
    [
        ("fixed size", (3, 3)),
        ("batch", (3, 3)),
        ("fixed size", (1, 3)),
        ("fixed size", (3, 1)),
        ("fixed size", (4, 4)),
        ("plain", (3, 2)),
    ],
)
def test_converted_images_are_those_of_predict(kind, channels, no_saved_model, tmp_path):
    model = trained(kind, channels)
    manifest = export_model(model, tmp_path / "a")
    assert (manifest.task, manifest.preprocessing.size_multiple) == ("image_to_image", 16)
    x = images(4, channels=channels[0])
    assert differs(load_artifact(tmp_path / "a", "cpu")(x), expected(model, x, kind)) <= 1


def ways(folder, x):
    """Yield what each client of an artifact gets, by name."""
    artifact = load_artifact(folder, "cpu")
    yield "convert", artifact(x)
    yield "bare ONNX", artifact.session.run(None, {"image": x})[0]
    served = tf.saved_model.load(folder / "1").signatures
    [given] = served["serving_default"](image=tf.constant(x)).values()
    yield "arrays served", given.numpy()
    files = [tf.io.encode_png(image) for image in x]
    [given] = served["image_bytes"](image_bytes=tf.stack(files)).values()
    yield "files served", given.numpy()
    file = read_manifest(folder).litert["float32"]["file"]
    [given] = _runner(folder / file)({"image": x}).values()
    yield "LiteRT", given


@pytest.mark.parametrize("kind", ["fixed size", "batch", "any size", "resnet"])
def test_every_client_gets_the_images_of_predict(kind, tmp_path):
    pytest.importorskip("ai_edge_litert")
    model = trained(kind)
    export_model(model, tmp_path / "a", formats=("litert",))
    sizes = [SIZE] if kind in ("fixed size", "batch") else [SIZE, (40, 24)]
    for size in sizes:
        x = images(3, size)
        answer = expected(model, x, kind)
        measured = {name: differs(received, answer) for name, received in ways(tmp_path / "a", x)}
        assert {name: each for name, each in measured.items() if each > 1} == {}


def decibels(received, answer):
    return 10 * np.log10(255**2 / max(np.mean((received - answer) ** 2), 1e-4))


def test_lower_precisions_lose_what_the_manifest_says_beside_predict(no_saved_model, tmp_path):
    model = trained("any size")
    for index, image in enumerate(images(12, (24, 32), seed=3)):
        write_image(tmp_path / "photos" / f"{index}.png", image)
    options = {"precisions": ("float16", "int8"), "calibration": tmp_path / "photos"}
    manifest = export_model(model, tmp_path / "a", least_quality=20, **options)
    x = images(4, (24, 32))
    answer = expected(model, x, "any size")
    for precision in ("float16", "int8"):
        received = load_artifact(tmp_path / "a", "cpu", precision=precision)(x)
        said = manifest.precisions[precision]["quality"]["psnr"]
        assert abs(decibels(received, answer) - said) < 5
