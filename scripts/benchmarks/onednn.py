"""Processor time of a training step with oneDNN and without, where TensorFlow has it off.

    python scripts/benchmarks/onednn.py --vgg VGG19.npz --minutes 20

TensorFlow computes with oneDNN by itself on x86 processors with instructions for neural networks,
such as AVX512_VNNI; on others TF_ENABLE_ONEDNN_OPTS=1 asks for it. Each recipe trains as
`keras-dtl train` would, on embedded data or noise, for a few steps in a process of its own, with
and without in turn, on one thread. Resumable. Writes results/onednn.json.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from record import groups, in_a_process, run_missing

ROUNDS, WARM_UP = 3, 2
SWITCH = "TF_ENABLE_ONEDNN_OPTS"
CASES = {
    "dann, 28 pixels": ("dann", {}, 20),
    "dan, 28 pixels": ("dan", {}, 20),
    "swap-vae, 28 pixels": ("swap-vae", {}, 10),
    "dann, 64 pixels": ("dann", {"image_size": 64}, 5),
    "mcc, 96 pixels, MobileNetV2": ("mcc", {"image_size": 96, "backbone": "MobileNetV2"}, 3),
    "segmentation, 96x128 pixels": ("segmentation", {"image_size": (96, 128)}, 3),
    "pix2pix, 128 pixels": ("pix2pix", {"image_size": 128}, 5),
    "pix2pix, 256 pixels": ("pix2pix", {"image_size": 256}, 2),
    "cyclegan, 128 pixels": ("cyclegan", {"image_size": 128}, 2),
    "fast-style, 144 pixels": ("fast-style", {"image_size": 256}, 5),
    "motion-style": ("motion-style", {"source": "walker"}, 5),
    "motion-aae": ("motion-aae", {"source": "walker"}, 5),
}
"""Recipe, fields that are set, and steps that are timed."""


def data_fields(recipe, folder, size, vgg):
    """Return the fields that name noise of this size, written to the folder; none without size."""
    if size is None:
        return {}
    from keras_dtl.images import write_image

    height, width = size if isinstance(size, tuple) else (size, size)
    random = np.random.default_rng(0)
    for place in range(160):
        label = f"class {place % 4}"
        for domain in ("source", "target"):
            image = random.integers(0, 256, (height, width, 3)).astype("uint8")
            if recipe == "segmentation":
                mask = random.integers(0, 4, (height, width)).astype("uint8")
                write_image(folder / domain / "images" / f"{place}.png", image)
                write_image(folder / domain / "masks" / f"{place}.png", mask[..., None])
            else:
                write_image(folder / domain / label / f"{place}.png", image)
        if recipe == "pix2pix":
            pair = random.integers(0, 256, (height, 2 * width, 3)).astype("uint8")
            write_image(folder / "pairs" / f"{place}.png", pair)
    if recipe == "pix2pix":
        return {"source": f"paired:{folder / 'pairs'}"}
    if recipe == "fast-style":
        style = folder / "source" / "class 0" / "0.png"
        return {"photos": f"folder:{folder / 'source'}", "style": (str(style),), "weights": vgg}
    return {domain: f"folder:{folder / domain}" for domain in ("source", "target")}


def milliseconds(case, vgg):
    """Return the processor time of a step of `fit`, with all that belongs to it."""
    import keras
    import tensorflow as tf

    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes import RECIPES

    tf.config.threading.set_intra_op_parallelism_threads(1)
    start_session(0)
    name, fields, steps = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        fields = fields | data_fields(name, Path(folder), fields.get("image_size"), vgg)
        recipe = RECIPES[name](output=Path(folder) / "run", **fields)
        data = recipe.load_data()
        model = recipe.build_model(data)
        ends = []
        clock = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: ends.append(time.process_time())
        )
        batches = recipe.batches(data, first_step=0)
        model.fit(batches, steps_per_epoch=WARM_UP + 1 + steps, verbose=0, callbacks=[clock])
    return 1000 * (ends[-1] - ends[WARM_UP]) / steps


def measure(case, vgg):
    """Return the milliseconds without oneDNN and with it."""
    found = {}
    for name, switch in (("without", "0"), ("with", "1")):
        os.environ[SWITCH] = switch
        found[name] = in_a_process(__file__, "--only", case, "--vgg", vgg)
    return found


def result_of(runs):
    ratios = {
        case: statistics.median(run["with"] / run["without"] for run in found)
        for case, found in groups(runs, ", round ").items()
    }
    return {
        "what": "processor time of a training step with oneDNN over that without, median of rounds",
        "ratios": ratios,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--vgg", default="imagenet", help="weights of VGG19, for fast-style")
    parser.add_argument("--minutes", type=float, help="begin none after so many")
    parser.add_argument("--only", choices=CASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(milliseconds(arguments.only, arguments.vgg)))
        return
    runs = [(f"{case}, round", turn) for turn in range(ROUNDS) for case in arguments.cases]
    run_missing(
        "onednn",
        runs,
        lambda case, turn: measure(case.rpartition(",")[0], arguments.vgg),
        result_of,
        arguments.minutes,
    )


if __name__ == "__main__":
    main()
