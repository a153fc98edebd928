"""Conversion of folders beside the bare session, plain loops and tf.data; memory; precisions.

    KERAS_DTL_DATA=... TFDS_DATA_DIR=... python scripts/benchmarks/conversion.py [SECTION ...]

For int8_generator KERAS_DTL_GENERATOR names the artifact that `keras-dtl train cyclegan` left on
monet2photo, in the direction from photos to paintings.

Each section takes at most five minutes on two CPU cores; one that is done is not repeated, the
rounds of one that was stopped neither, and `--again` begins it anew. Writes
results/conversion.json. All comparisons are ratios of figures that one process measured by turns.
"""

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import conversion_inputs as inputs
import conversion_int8 as int8
import conversion_limits as limits
import conversion_runtimes as runtimes
from record import read_result, write_result

import keras_dtl
from keras_dtl.convert import convert_folder
from keras_dtl.convert.runtimes.cores import core_count
from keras_dtl.images import read_image, resize_image, write_image

BATCH = 8
ROUNDS = 5


class _Watch:
    """A clock of the wall and of the processor, children included."""

    def __init__(self):
        self.begun, self.processor = time.perf_counter(), sum(os.times()[:4])

    def read(self, count):
        seconds = time.perf_counter() - self.begun
        processor = sum(os.times()[:4]) - self.processor
        return {
            "images_per_second": count / seconds,
            "processor_microseconds_per_image": 1e6 * processor / count,
        }


def generator(folder, rounds):
    """ResNet-9 at 256 pixels, 200 photos: the folder beside the session alone on their arrays."""
    artifact = inputs.make_once(folder / "resnet9_256", inputs.generator, 64, 9, (256, 256))
    size = 200 // ROUNDS
    for place in range(len(rounds), ROUNDS):
        part = inputs.photos(200)[place * size : (place + 1) * size]
        yield inputs.call_apart(_generator_round, artifact, part, folder / "out", place % 2)


def _generator_round(path, part, out, folder_first):
    artifact = keras_dtl.load_artifact(path, "cpu")
    arrays = [resize_image(read_image(file), (256, 256)) for file in part]
    feed = [inputs.np.stack(arrays[i : i + BATCH]) for i in range(0, len(arrays), BATCH)]
    artifact.run(feed[0][:1])
    measured = {}

    def run_session():
        watch = _Watch()
        for batch in feed:
            artifact.session.run(None, {artifact.manifest.inputs[0].name: batch})
        measured["bare_session"] = watch.read(len(part))

    def run_folder():
        shutil.rmtree(out, ignore_errors=True)
        watch = _Watch()
        report = convert_folder(artifact, part, out, batch_size=BATCH, gallery=0)
        measured["folder"] = watch.read(report.converted)
        measured["busy_share"] = report.to_json()["stages"]["busy_share"]

    steps = (run_session, run_folder)
    for step in reversed(steps) if folder_first else steps:
        step()
    return measured


def generator_summary(rounds):
    def total(name, figure, power):
        return sum(one[name][figure] ** power for one in rounds)

    def ratio(over, under, *figure):
        return total(over, *figure) / total(under, *figure)

    processor = ("processor_microseconds_per_image", 1)
    return {
        "images": 200 // ROUNDS * len(rounds),
        "batch_size": BATCH,
        "cores": core_count(),
        "folder_over_bare_session": ratio("bare_session", "folder", "images_per_second", -1),
        "wanted": 0.95,
        "processor_time_over_bare_session": ratio("folder", "bare_session", *processor),
    }


def classifier(folder, rounds):
    """LeNet, 10,000 PNGs of 28x28: the folder, tf.data + predict, Pillow + predict on each."""
    artifact = inputs.make_once(folder / "lenet", inputs.classifier)
    files = inputs.make_once(folder / "digits", inputs.digit_files, "test", 10_000)
    for _ in range(len(rounds), 3):
        shutil.rmtree(folder / "out", ignore_errors=True)
        yield {
            "folder": inputs.call_apart(_classify_folder, artifact, files, folder / "out"),
            "tf_data": inputs.call_apart(_classify_tf_data, artifact, files),
            "plain_loop": inputs.call_apart(_classify_loop, artifact, files, 300),
        }


def _classify_folder(path, files, out):
    artifact = keras_dtl.load_artifact(path, "cpu")
    watch = _Watch()
    report = convert_folder(artifact, files, out, gallery=0, batch_size=256)
    return watch.read(report.converted) | {"busy_share": report.to_json()["stages"]["busy_share"]}


def _classify_tf_data(path, files):
    import keras
    import tensorflow as tf

    model = keras.saving.load_model(path / "model.keras", compile=False)
    model.predict(inputs.np.zeros((256, 28, 28, 3), "uint8"), verbose=0)

    def decode(file):
        pixels = tf.io.decode_png(tf.io.read_file(file), channels=3)
        return tf.ensure_shape(pixels, (28, 28, 3))

    watch = _Watch()
    names = sorted(str(file) for file in files.iterdir())
    data = tf.data.Dataset.from_tensor_slices(names).map(decode, tf.data.AUTOTUNE)
    model.predict(data.batch(256).prefetch(tf.data.AUTOTUNE), verbose=0)
    return watch.read(len(names))


def _classify_loop(path, files, count):
    import keras
    from PIL import Image

    model = keras.saving.load_model(path / "model.keras", compile=False)
    model.predict(inputs.np.zeros((1, 28, 28, 3), "uint8"), verbose=0)
    names = sorted(files.iterdir())[:count]
    watch = _Watch()
    for name in names:
        model.predict(inputs.np.asarray(Image.open(name).convert("RGB"))[None], verbose=0)
    return watch.read(count)


def classifier_summary(rounds):
    def ratio(name, figure="images_per_second"):
        return statistics.median(one["folder"][figure] / one[name][figure] for one in rounds)

    return {
        "images": 10_000,
        "cores": core_count(),
        "plain_loop_measured_on": 300,
        "folder_over_plain_loop": ratio("plain_loop"),
        "wanted_over_plain_loop": 4,
        "folder_over_tf_data": ratio("tf_data"),
        "wanted_over_tf_data": 1.5,
        "processor_time_over_tf_data": ratio("tf_data", "processor_microseconds_per_image"),
    }


def help_time(folder, rounds):
    """`keras-dtl convert --help`, beside an empty Python, by the clock and by the processor."""
    for _ in range(len(rounds), 20):
        yield {
            "help": _times([sys.executable, "-m", "keras_dtl.cli", "convert", "--help"]),
            "python": _times([sys.executable, "-c", "pass"]),
        }


def start_time(folder, rounds):
    """`keras-dtl convert` of one image by a LeNet, from the command to the file."""
    path = inputs.make_once(folder / "lenet", inputs.classifier)
    image, out = folder / "one.png", folder / "one"
    write_image(image, inputs.np.zeros((28, 28, 3), "uint8"))
    for _ in range(len(rounds), 10):
        shutil.rmtree(out, ignore_errors=True)
        yield _times([sys.executable, "-m", "keras_dtl.cli", "convert", path, image, out])


def start_time_summary(rounds):
    kinds = ("seconds", "processor_seconds")
    return {kind: statistics.median(one[kind] for one in rounds) for kind in kinds} | {
        "wanted_seconds": 1.0
    }


def _times(command):
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds, after = time.perf_counter() - started, os.times()
    return {"seconds": seconds, "processor_seconds": sum(after[2:4]) - sum(before[2:4])}


def help_time_summary(rounds):
    def middle(name, kind):
        return statistics.median(one[name][kind] for one in rounds)

    kinds = ("seconds", "processor_seconds")
    return {name: {kind: middle(name, kind) for kind in kinds} for name in ("help", "python")} | {
        "allowed_seconds": 0.5
    }


SECTIONS = {
    "help": (help_time, help_time_summary),
    "start": (start_time, start_time_summary),
    "classifier": (classifier, classifier_summary),
    "memory": (limits.memory, limits.memory_summary),
    "generator": (generator, generator_summary),
    "large": (limits.large_image, limits.large_image_summary),
    "tiles": (limits.tiles, limits.tiles_summary),
    "kill": (limits.kill, limits.kill_summary),
    "int8_classifier": (int8.int8_classifier, int8.int8_classifier_summary),
    "int8_speed": (int8.int8_speed, int8.int8_speed_summary),
    "runtimes": (runtimes.runtimes, runtimes.runtimes_summary),
    "runtimes_finer": (runtimes.runtimes_finer, runtimes.runtimes_finer_summary),
    "runtimes_plain": (runtimes.runtimes_plain, runtimes.runtimes_plain_summary),
    "runtimes_split": (runtimes.runtimes_split, runtimes.runtimes_split_summary),
    "int8_generator": (int8.int8_generator, int8.int8_generator_summary),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; default: all")
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks/conversion"))
    parser.add_argument("--rounds", type=int, help="how many more of each section; default: all")
    parser.add_argument("--again", action="store_true", help="measure again what is done")
    arguments = parser.parse_args()
    if unknown := set(arguments.sections) - set(SECTIONS):
        parser.error(f"there are no sections {', '.join(sorted(unknown))}")
    for name in arguments.sections or SECTIONS:
        measure, summarise = SECTIONS[name]
        rounds = (
            [] if arguments.again else read_result("conversion").get(name, {}).get("rounds", [])
        )
        more = measure(arguments.folder.resolve(), list(rounds))
        for one in itertools.islice(more, arguments.rounds):
            # How many others wanted the processor: a round at rest has about the number of cores.
            rounds = [*rounds, one | {"load_average": os.getloadavg()[0]}]
            summary = {"what": measure.__doc__, **summarise(rounds), "rounds": rounds}
            # Read anew: another section may have been written meanwhile.
            before = read_result("conversion")
            write_result("conversion", before | {name: summary}, show=[name], before=before)


if __name__ == "__main__":
    main()
