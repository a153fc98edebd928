"""Time of a training step of pix2pix and CycleGAN beside the same networks in eager PyTorch.

    python scripts/benchmarks/translation_time.py

Networks of the published width, batch 1, Adam, float32 on both sides: pix2pix (U-Net, 70x70
PatchGAN, L1 + cGAN) at 128 pixels, CycleGAN (ResNet-6, identity loss, pool) at 64. Ours is timed as
`fit` runs it, with shuffling and jitter; PyTorch on arrays at hand. Each runs in a process of its
own, in turn, several rounds; the ratio is taken within each round. Needs the extra `[peers]`.
Writes results/translation_time.json. About six minutes on two CPU cores.
"""

import argparse
import itertools
import statistics

from clock import StepClock, call_seconds
from record import in_a_process, read_result, write_result

IMAGES = 16
SIZES = {"pix2pix": 128, "cyclegan": 64}
FIELDS = {"pix2pix": 70, "cyclegan": 34}
STRIDED = {"pix2pix": 3, "cyclegan": 2}
FILTERS, BLOCKS = 64, 6


def images(size, seed):
    import numpy as np

    return np.random.default_rng(seed).integers(0, 256, (IMAGES, size, size, 3)).astype("uint8")


def keras_seconds(method, warm_up, steps, precision="off"):
    """Return the seconds of each step of `fit`, everything included."""
    from keras_dtl.cli.session import start_session
    from keras_dtl.data.pairs import ImagePairs
    from keras_dtl.recipes import RECIPES

    start_session(0, precision)
    size = SIZES[method]
    recipe = RECIPES[method](image_size=size, receptive_field=FIELDS[method])
    a, b = (images(recipe.size_before_crop, seed) for seed in (0, 1))
    data = type("Data", (), {"train": ImagePairs(a, b) if recipe.paired else (a, b)})
    clock = StepClock(warm_up)
    model = recipe.build_model(data)
    batches = recipe.batches(data, 0)
    model.fit(batches, steps_per_epoch=warm_up + steps + 1, verbose=0, callbacks=[clock.callback])
    return clock.seconds()


def torch_seconds(method, warm_up, steps):
    """Return the seconds of each step on arrays at hand."""
    import torch_translation as peers

    strided, size = STRIDED[method], SIZES[method]
    if method == "pix2pix":
        generator = peers.unet(3, FILTERS, size.bit_length() - 1, "batch", dropout=0.5)
        networks = [generator, peers.patch(6, FILTERS, strided, "batch")]
        peer = peers.Pix2Pix(*map(peers.start, networks))
    else:
        networks = [peers.resnet(3, FILTERS, BLOCKS, "instance") for _ in range(2)]
        networks += [peers.patch(3, FILTERS, strided, "instance") for _ in range(2)]
        peer = peers.CycleGAN(*map(peers.start, networks))
    a, b = images(size, 0), images(size, 1)
    places = itertools.cycle(range(IMAGES))

    def step():
        place = next(places)
        peer.step(a[place : place + 1], b[place : place + 1])

    return call_seconds(step, warm_up, steps)


RUN = {
    "keras_dtl": keras_seconds,
    "keras_dtl bfloat16": lambda *words: keras_seconds(*words, precision="bfloat16"),
    "torch": torch_seconds,
}


def measure(method, name, warm_up, steps):
    """Return the median milliseconds of a step, in a fresh process."""
    words = ["--only", f"{method}:{name}", "--warm-up", warm_up, "--steps", steps]
    return in_a_process(__file__, *words)


def run_rounds(method, rounds, warm_up, steps):
    found = []
    for _ in range(rounds):
        found.append({name: measure(method, name, warm_up, steps) for name in RUN})
        print(method, {name: round(value) for name, value in found[-1].items()}, flush=True)
    names = [name for name in RUN if name != "torch"]
    return {
        "size": SIZES[method],
        "milliseconds": {name: statistics.median(one[name] for one in found) for name in RUN},
        "ratio_to_torch": {
            name: statistics.median(one[name] / one["torch"] for one in found) for name in names
        },
        "rounds": found,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=4)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--only", help="METHOD:NAME: print the milliseconds of one alone")
    arguments = parser.parse_args()
    if arguments.only:
        method, _, name = arguments.only.partition(":")
        seconds = RUN[name](method, arguments.warm_up, arguments.steps)
        print(1000 * statistics.median(seconds))
        return
    result = {
        "what": "median milliseconds of a training step, batch 1, filters 64, float32 and bfloat16",
    }
    before = read_result("translation_time")
    result["methods"] = before.get("methods", {})
    for method in arguments.methods:
        result["methods"][method] = run_rounds(
            method, arguments.rounds, arguments.warm_up, arguments.steps
        )
        write_result("translation_time", result, show=(), before=before)


if __name__ == "__main__":
    main()
