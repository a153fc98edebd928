"""OpenVINO beside onnxruntime over a folder of photos: speed by turns, quality beside each.

Sections of conversion.py, which runs them and writes what they measured. The environment variable
KERAS_DTL_BASELINE names a checkout of the build to compare with, whose float32 is 1.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from keras_dtl.manifest import read_manifest

ROUNDS, PART, BATCH = 5, 20, 8
# Of each round: how many photos of 481x321 pixels (upright and lying), 256x256, 240x180, 128x128.
MIX = (("bsds500", 4), ("monet2photo/trainB", 6), ("camvid", 5), ("pacs/photo", 5))
BEFORE, BEFORE_INT8 = "before float32", "before int8"
VARIANTS = {
    BEFORE: ("cpu", "float32"),
    BEFORE_INT8: ("cpu", "int8"),
    "onnxruntime float32": ("cpu", "float32"),
    "openvino float32": ("openvino", "float32"),
    "openvino bfloat16": ("openvino", "bfloat16"),
    "openvino int8": ("openvino", "int8"),
    "onnxruntime int8": ("cpu", "int8"),
}
WANTED = {
    "openvino float32": {"times": 1.12, "difference": 1},
    "openvino bfloat16": {"times": 2.2, "psnr": 50},
    "openvino int8": {"times": 3.3, "psnr": 34},
}
EXPORT = """
import sys, pathlib, conversion_inputs
path, network, least, *precisions = sys.argv[1:]
conversion_inputs.export_trained(pathlib.Path(path), network, float(least), *precisions)
"""
"""Script that exports by whichever build its process finds."""
FINER = (BEFORE, "openvino int8")
WANTED_FINER = {"openvino int8": {"times": 2.7, "psnr": 37}}
PLAIN = (
    *(BEFORE, BEFORE_INT8),
    *("onnxruntime float32", "openvino float32", "onnxruntime int8", "openvino int8"),
)
WANTED_PLAIN = {"onnxruntime float32": {"times": 1}, "openvino float32": {"times": 1}}


def runtimes(folder, rounds):
    """ResNet-9 of 64 filters, trained 150 steps: 100 photos of mixed sizes by each runtime."""
    yield from _rounds(folder, len(rounds), 32, [name for name in VARIANTS if name != BEFORE_INT8])


def runtimes_finer(folder, rounds):
    """The same in int8 whose layers that hurt stay in bfloat16, so that it reaches 37 dB."""
    yield from _rounds(folder, len(rounds), 37, list(FINER))


def runtimes_plain(folder, rounds):
    """The same on a CPU that has AVX2 and no more, where nothing may be slower than before."""
    if "avx512" in Path("/proc/cpuinfo").read_text():
        raise SystemExit("error: this CPU has AVX-512; runtimes_plain is for one without it.")
    yield from _rounds(folder, len(rounds), 32, list(PLAIN), ("int8",))


def runtimes_split(folder, rounds):
    """The same beside a build that exports the trained network itself, so that its graph counts."""
    yield from _rounds(folder, len(rounds), 32, list(PLAIN), exports=True)


def _rounds(folder, done, least, names, precisions=("bfloat16", "int8"), exports=False):
    import conversion_inputs as inputs

    network = inputs.make_once(folder / "trained.keras", inputs.train_generator)
    artifact = folder / "_".join(("trained", str(least), *precisions))
    path = inputs.make_once(artifact, inputs.export_trained, network, float(least), *precisions)
    before = folder / f"{path.name}_before" if exports else path
    if not before.exists():
        _export_before(before, network, float(least), *precisions)
    holds = read_manifest(path).precisions
    onnxruntime_int8 = ("onnxruntime int8", BEFORE_INT8)
    names = [name for name in names if name not in onnxruntime_int8 or "int8" in holds]
    photos = mixed_photos(inputs.data_folder())
    for place in range(done, ROUNDS):
        part = photos[place * PART : (place + 1) * PART]
        turn = place % len(names)
        measured = {
            name: _measure_apart(
                name, before if _is_before(name) else path, part, folder / "out" / name
            )
            for name in names[turn:] + names[:turn]
        }
        for name in names:
            measured[name] |= _quality(folder / "out" / name, folder / "out" / BEFORE)
        yield measured


def mixed_photos(data):
    """Return photos that nothing was calibrated on, mixed alike in each round."""
    kinds = [sorted((data / name).rglob("*.jpg"))[100:] for name, _ in MIX]
    return [
        file
        for place in range(ROUNDS)
        for files, (_, count) in zip(kinds, MIX, strict=True)
        for file in files[place * count : (place + 1) * count]
    ]


def _measure_apart(name, path, part, out):
    """Measure in a fresh process, of the build before where the name says so."""
    tree = _baseline() if _is_before(name) else str(Path(__file__).resolve().parents[2])
    words = [sys.executable, __file__, name, str(path), str(out), *map(str, part)]
    answer = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": tree}, check=True
    )
    return json.loads(answer.stdout.splitlines()[-1])


def _is_before(name):
    return name in (BEFORE, BEFORE_INT8)


def _baseline():
    before = os.environ.get("KERAS_DTL_BASELINE")
    if not before:
        raise SystemExit("error: KERAS_DTL_BASELINE must name a checkout of the build before.")
    return before


def _export_before(path, *arguments):
    """Export the trained network by the build before, in a process of its own."""
    tree = _baseline()  # Python looks where it runs first, then in PYTHONPATH
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    words = [sys.executable, "-c", EXPORT, *map(str, (path, *arguments))]
    subprocess.run(words, env=environment, cwd=tree, check=True)


def _measure(name, path, out, part):
    """Return the figures of the folder, and of the bare session on the same decoded batches."""
    import numpy as np

    import keras_dtl
    from keras_dtl.images import read_image

    device, precision = VARIANTS[name]
    artifact = keras_dtl.load_artifact(path, device, precision=precision)
    groups = {}
    for file in part:
        image = read_image(file)
        groups.setdefault(image.shape, []).append(image)
    batches = [np.stack(images) for images in groups.values()]
    feed = artifact.manifest.inputs[0].name
    for batch in batches:  # what is made ready for each size comes before
        artifact.session.run(None, {feed: _multiple(batch[:2])})
    found = {}

    def run_session():
        for batch in batches:
            for first in range(0, len(batch), BATCH):
                artifact.session.run(None, {feed: _multiple(batch[first : first + BATCH])})

    def run_folder():
        shutil.rmtree(out, ignore_errors=True)
        keras_dtl.convert_folder(artifact, part, out, batch_size=BATCH, gallery=0)

    for what, run in (("folder", run_folder), ("bare_session", run_session)):
        found[what] = _clock(run, len(part))
    return found


def _multiple(batch, multiple=4):
    height, width = (size // multiple * multiple for size in batch.shape[1:3])
    return batch[:, :height, :width].copy()


def _clock(run, count):
    begun, processor = time.perf_counter(), sum(os.times()[:4])
    run()
    return {
        "seconds_per_image": (time.perf_counter() - begun) / count,
        "processor_seconds_per_image": (sum(os.times()[:4]) - processor) / count,
    }


def _quality(folder, reference):
    import conversion_inputs as inputs
    import numpy as np

    from keras_dtl.images import read_image

    decibels, largest = [], 0
    for file in sorted(reference.rglob("*.png")):
        one, other = (read_image(at / file.relative_to(reference)) for at in (folder, reference))
        decibels.append(inputs.psnr(one, other))
        largest = max(largest, int(np.abs(one.astype(int) - other).max()))
    return {
        "psnr_mean": statistics.mean(decibels),
        "psnr_least": min(decibels),
        "largest_difference": largest,
    }


def runtimes_summary(rounds):
    return _summary(rounds, WANTED)


def runtimes_finer_summary(rounds):
    return _summary(rounds, WANTED_FINER)


def runtimes_split_summary(rounds):
    return _summary(rounds, {})


def runtimes_plain_summary(rounds):
    return _summary(rounds, WANTED_PLAIN)


def _summary(rounds, wanted):
    def total(name, what, figure):
        return sum(one[name][what][figure] for one in rounds)

    rows = {}
    for name in [each for each in VARIANTS if each in rounds[0]]:
        times = {
            f"times_before_by_{clock}": total(BEFORE, "folder", figure)
            / total(name, "folder", figure)
            for clock, figure in CLOCKS.items()
        }
        bare = {
            f"folder_over_bare_by_{clock}": total(name, "bare_session", figure)
            / total(name, "folder", figure)
            for clock, figure in CLOCKS.items()
        }
        rows[name] = {
            **times,
            **bare,
            "psnr_mean": statistics.mean(one[name]["psnr_mean"] for one in rounds),
            "psnr_least": min(one[name]["psnr_least"] for one in rounds),
            "largest_difference": max(one[name]["largest_difference"] for one in rounds),
            "wanted": wanted.get(name),
        }
    return {"images": PART * len(rounds), "batch_size": BATCH, "rows": rows}


CLOCKS = {"processor": "processor_seconds_per_image", "clock": "seconds_per_image"}


if __name__ == "__main__":
    variant, artifact_path, output, *files = sys.argv[1:]
    print(json.dumps(_measure(variant, artifact_path, Path(output), files)))
