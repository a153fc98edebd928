"""What an int8 graph gains in speed and loses in quality beside float32, measured by turns.

Sections of conversion.py, which runs them and writes what they measured.
"""

import os
import statistics
import time
from pathlib import Path

import conversion_inputs as inputs

import keras_dtl
from keras_dtl.convert.runtimes.cores import core_count
from keras_dtl.images import read_image, resize_image

BATCH = 8
ROUNDS = 5


def int8_generator(folder, rounds):
    """A trained generator in int8 beside float32: speed by turns, PSNR on photos it never saw."""
    source = os.environ.get("KERAS_DTL_GENERATOR")
    if not source:
        raise SystemExit("error: KERAS_DTL_GENERATOR must name the artifact of a trained run.")
    calibration = inputs.data_folder() / "monet2photo" / "trainB"
    path = inputs.make_once(folder / "int8_generator", inputs.with_int8, Path(source), calibration)
    for _ in range(len(rounds), ROUNDS):
        yield inputs.call_apart(_int8_images, path, inputs.photos(24))


def _int8_images(path, files):
    images = inputs.np.stack([resize_image(read_image(file), (256, 256)) for file in files])
    outputs, speeds = _by_turns(path, [images[i : i + BATCH] for i in range(0, 24, BATCH)])
    errors = (outputs["int8"].astype(float) - outputs["float32"]) ** 2
    psnr = 10 * inputs.np.log10(255**2 / errors.mean(axis=(1, 2, 3)))
    return {
        **speeds,
        "psnr_mean": float(psnr.mean()),
        "psnr_least": float(psnr.min()),
        "manifest": dict(keras_dtl.load_artifact(path).manifest.precisions["int8"]["quality"]),
    }


def _by_turns(path, batches):
    """Return the outputs of both precisions, and their images a second as the best of three."""
    artifacts = {
        name: keras_dtl.load_artifact(path, "cpu", precision=name) for name in ("float32", "int8")
    }
    outputs, seconds = {}, {}
    for _ in range(3):
        for name, artifact in artifacts.items():
            started = time.perf_counter()
            found = [artifact(batch) for batch in batches]
            seconds.setdefault(name, []).append(time.perf_counter() - started)
            outputs[name] = inputs.np.concatenate(found)
    count = sum(len(batch) for batch in batches)
    return outputs, {f"{name}_images_per_second": count / min(seconds[name]) for name in artifacts}


def int8_generator_summary(rounds):
    return _int8_speed(rounds) | {
        "psnr_mean": rounds[0]["psnr_mean"],
        "psnr_least": rounds[0]["psnr_least"],
        "wanted_psnr": 32,
    }


def int8_speed(folder, rounds):
    """ResNet-9 at 256 pixels with the weights that it starts from: int8 beside float32 by turns."""
    path = inputs.make_once(folder / "int8_start", inputs.int8_start)
    for _ in range(len(rounds), ROUNDS):
        yield inputs.call_apart(_int8_speeds, path, inputs.photos(4))


def _int8_speeds(path, files):
    images = inputs.np.stack([resize_image(read_image(file), (256, 256)) for file in files])
    return _by_turns(path, inputs.np.split(images, len(files)))[1]


def int8_speed_summary(rounds):
    return _int8_speed(rounds) | {"cores": core_count()}


def _int8_speed(rounds):
    ratios = [one["int8_images_per_second"] / one["float32_images_per_second"] for one in rounds]
    return {"int8_over_float32": statistics.median(ratios), "wanted": 2, "vnni": _has_vnni()}


def _has_vnni():
    return "vnni" in Path("/proc/cpuinfo").read_text()


def int8_classifier(folder, rounds):
    """LeNet on MNIST in int8 beside float32: accuracy on all 10,000 test digits, speed by turns."""
    source = inputs.make_once(folder / "lenet", inputs.classifier)
    calibration = inputs.make_once(folder / "training_digits", inputs.digit_files, "train", 200)
    path = inputs.make_once(folder / "int8_lenet", inputs.with_int8, source, calibration)
    files = inputs.make_once(folder / "digits", inputs.digit_files, "test", 10_000)
    for _ in range(len(rounds), ROUNDS):
        yield inputs.call_apart(_int8_digits, path, files)


def _int8_digits(path, folder):
    files = sorted(folder.iterdir())
    labels = inputs.np.array([int(file.stem[-1]) for file in files])
    images = inputs.np.stack([read_image(file) for file in files])
    outputs, speeds = _by_turns(path, inputs.np.split(images, 40))
    accuracies = {
        f"{name}_accuracy": 100 * float((found.argmax(-1) == labels).mean())
        for name, found in outputs.items()
    }
    return speeds | accuracies


def int8_classifier_summary(rounds):
    return _int8_speed(rounds) | {
        "accuracy_lost": rounds[0]["float32_accuracy"] - rounds[0]["int8_accuracy"],
        "allowed_accuracy_lost": 0.5,
    }
