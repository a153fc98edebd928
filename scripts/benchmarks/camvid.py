"""CamVid from day to dusk: segmentation without adaptation, with it, and learnt at dusk.

    python scripts/benchmarks/camvid.py --folder DATA/camvid --weights DATA/weights/FILE

MobileNetV2 with an ASPP head at 90x120 pixels, 180x240 where a name ends in -180. Day is the
sequences 0006R0 and 0016E5, dusk 0001TP: its first half without masks is adapted to, or with masks
learnt from (target-trained), its second half is scored. Last weights of each seed; no mask of the
second half is ever seen. 400 steps of 4 + 4 images, and 1200 where a name ends in -long:
self-training needs them.
Resumable run by run. Writes results/camvid.json. 400 steps take 1.5 to 3 minutes of a CPU core,
four times as long at 180x240.
"""

import argparse
import functools
import itertools
import json
import subprocess
import sys
from pathlib import Path

from record import groups, run_missing, summary

SHARED = {
    "epochs": 4,
    "min-steps": 100,
    "backbone": "mobilenet",
    "learning-rate": 0.0005,
    "batch-norm": "frozen",
}
SEQUENCES = ["--source-sequences", "0006R0", "0016E5", "--target-sequences", "0001TP"]
SIZE = ["--image-size", "90", "120"]
WAYS = {
    "source-only": ["--method", "source-only"],
    "dann": ["--method", "dann", "--adaptation-weight", "0.01"],
    "target-trained": ["--method", "source-only", "--labels-from", "target"],
    "output-space": ["--method", "output-space", "--adaptation-weight", "0.01"],
    "dan": ["--method", "dan", "--adaptation-weight", "0.1"],
    "deep-coral": ["--method", "deep-coral", "--adaptation-weight", "0.1"],
    "advent": ["--method", "advent", "--adaptation-weight", "0.01"],
    "dacs": ["--method", "dacs"],
}
for share in ("0.01", "0.05"):
    WAYS[f"fourier-{share}"] = [*WAYS["source-only"], "--fourier", share]
WAYS["output-space-fourier"] = [*WAYS["output-space"], "--fourier", "0.05"]

LONG = ["--epochs", "12"]
WAYS |= {
    f"{way}-long": [*WAYS[way], *LONG]
    for way in ("source-only", "output-space", "advent", "dacs", "target-trained")
}
LARGE = ["--image-size", "180", "240"]
WAYS |= {
    f"{way}-180": [*WAYS[way], *LARGE]
    for way in ("source-only", "output-space", "advent", "target-trained")
}


def train(arguments, way, seed):
    """Train once, and return the scores at dusk."""
    run = arguments.runs / f"{way}-{seed}"
    command = [sys.executable, "-m", "keras_dtl.cli", "train", "segmentation"]
    settings = SHARED | {
        "source": f"folder:{arguments.folder}",
        "target": f"folder:{arguments.folder}",
        "weights": arguments.weights,
        "seed": seed,
        "output": run,
        "artifact": run / "artifact",
    }
    for name, value in settings.items():
        command += [f"--{name}", str(value)]
    subprocess.run([*command, *SEQUENCES, *SIZE, *WAYS[way], "--resume"], check=True)
    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))["target"]
    return {name: scores[name] for name in ("mean_iou", "pixel_accuracy", "iou")}


def result_of(runs):
    ways = {
        way: {
            **summary([100 * run["mean_iou"] for run in found], "mean_iou"),
            "seeds": len(found),
        }
        for way, found in groups(runs).items()
    }
    return {
        "what": "mean IoU in percent at dusk, second half of 0001TP, last weights",
        "settings": {"shared": SHARED, "size": SIZE[1:], "ways": WAYS},
        "ways": {way: ways[way] for way in WAYS if way in ways},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder of CamVid")
    parser.add_argument("--weights", type=Path, required=True, help="MobileNetV2 without its top")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--minutes", type=float, help="begin no run after so many minutes")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks/camvid"))
    arguments = parser.parse_args()
    run_missing(
        "camvid",
        itertools.product(arguments.ways, range(arguments.seeds)),
        functools.partial(train, arguments),
        result_of,
        arguments.minutes,
        show=lambda found: f"{found['mean_iou']:.1%}",
    )


if __name__ == "__main__":
    main()
