"""A trained style in float32 and int8: how long it took, how near it came, how fast it runs.

    keras-dtl train fast-style --photos folder:photos --style painting.jpg
    keras-dtl export runs/fast-style --output exported/int8 --precision int8 --calibration photos
    python scripts/benchmarks/fast_style.py --run runs/fast-style --artifact exported/int8 \\
        --folder mixed

FOLDER holds images of mixed sizes, which each graph takes one by one as they are, on one core in
processor time, in turn, several rounds. How much of a grid of four pixels there is in what float32
makes is read off its spectrum. Training is timed by the files of a run that was not
stopped. Writes results/fast_style.json.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
from record import write_result

PRECISIONS = ("float32", "int8")
ROUNDS = 3
GRID = 4
"""Pixels from line to line of the grid that the network's innermost maps could leave."""
BESIDE = (5, 6, 7, 8)
"""Frequencies to either side of a grid's that it is compared with, in waves across the image."""


def run_figures(folder):
    """Return settings, minutes and scores of a training."""

    def read(name):
        return json.loads((folder / name).read_text(encoding="utf-8"))

    began, ended = ((folder / name).stat().st_mtime for name in ("settings.json", "model.keras"))
    settings = read("settings.json")
    shown = ("epochs", "batch_size", "image_size", "crop_size", "style_size", "filters")
    return {
        "settings": {key: settings[key] for key in shown},
        "minutes": (ended - began) / 60,
        "held_out_photos": read("scores.json"),
    }


def artifact_figures(folder, images):
    """Return seconds a megapixel of each graph, and how near int8 is to float32."""
    from keras_dtl import load_artifact

    models = {name: load_artifact(folder, precision=name, threads=1) for name in PRECISIONS}
    megapixels = sum(image.shape[0] * image.shape[1] for image in images) / 1e6
    taken, made = {name: [] for name in models}, {}
    for _ in range(ROUNDS):
        for name, model in models.items():
            begin = time.process_time()
            made[name] = [np.asarray(model(image[None])) for image in images]
            taken[name].append(time.process_time() - begin)
    pairs = zip(*made.values(), strict=True)
    return {
        "images": [list(image.shape[:2]) for image in images],
        "cpu_seconds_a_megapixel": {
            name: statistics.median(seconds) / megapixels for name, seconds in taken.items()
        },
        "int8_is_faster_by": statistics.median(
            slow / fast for slow, fast in zip(*taken.values(), strict=True)
        ),
        "psnr_of_int8": [psnr(*pair) for pair in pairs],
        "grid_of_images": [grid(image) for image in images],
        "grid_of_float32": [grid(image[0]) for image in made["float32"]],
    }


def grid(image):
    """Return the energy of waves of `GRID` pixels, along both axes, over that of those beside."""
    grey = image.astype("float64").mean(-1)
    size = min(grey.shape) // 64 * 64
    window = np.hanning(size)
    grey = (grey[:size, :size] - grey[:size, :size].mean()) * window * window[:, None]
    energy = np.abs(np.fft.fft2(grey)) ** 2
    shares = []
    for lines in (energy.mean(1), energy.mean(0)):
        for at in (size // GRID, size - size // GRID):
            beside = [lines[at + sign * step] for step in BESIDE for sign in (-1, 1)]
            shares.append(lines[at] / np.median(beside))
    return float(np.mean(shares))


def psnr(a, b):
    return float(10 * np.log10(255**2 / np.mean((a.astype("float32") - b) ** 2)))


def main():
    from keras_dtl.images import find_images, read_image

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, words in (
        ("run", "folder that the training wrote"),
        ("artifact", "exported with --precision int8"),
        ("folder", "images of mixed sizes"),
    ):
        parser.add_argument(f"--{name}", type=Path, required=True, help=words)
    arguments = parser.parse_args()
    images = [read_image(path) for path in find_images(arguments.folder)]
    result = {**run_figures(arguments.run), **artifact_figures(arguments.artifact, images)}
    write_result("fast_style", {"what": __doc__.splitlines()[0], **result})


if __name__ == "__main__":
    main()
