"""Learning curves of fine-tuning: few labels, four ways to use an encoder, two domains.

    python scripts/benchmarks/fine_tuning.py --folder DATA/pacs --weights DATA/weights/FILE

MobileNetV2 on PACS at 96 pixels, from 5, 20 and 100 labelled images of each class (of sketches
64, as many as the rarest class has): started at random, frozen below a new classifier, tuned as a
whole, and tuned with rates that fall from layer to layer. Photos lie near ImageNet, sketches far.
Pretrained batch normalisation stays frozen; rates were chosen on photos that are neither learnt
from nor scored. The last weights of each run are scored, on the fifth of each class that is never
learnt from. Resumable run by run: kill it and start it again. Writes results/fine_tuning.json and
fine_tuning.png. 72 runs of about half a minute on one CPU core.
"""

import argparse
import functools
import itertools
import json
import statistics
import time
from pathlib import Path

import numpy as np
from record import MACHINE, RESULTS

from keras_dtl.files import atomic_path, write_json

RESULT = RESULTS / "fine_tuning.json"
DOMAINS = ("photo", "sketch")
SHOTS = (5, 20, 100)
STEPS = {5: 100, 20: 150, 100: 250}
WAYS = {
    "random": {"start": "random", "batch_norm": "moving", "learning_rate": 0.05},
    "frozen": {"train_from": "head", "learning_rate": 0.05},
    "full": {"learning_rate": 0.0005},
    "discriminative": {"learning_rate": 0.01, "encoder_rate": 0.03, "rate_decay": 0.95},
}
SHARED = {"backbone": "MobileNetV2", "image_size": 96, "flip": True, "batch_size": 16}


@functools.cache
def images_of(folder, domain):
    """Return all images of a domain, those to learn from and those to score on."""
    from keras_dtl.scripts.recipes.fine_tuning import FineTuningRecipe

    return FineTuningRecipe(target=f"folder:{folder / domain}", **SHARED).load_data()


def train(folder, weights, domain, shots, way, seed):
    """Train once and return the accuracy in percent and the seconds it took."""
    import keras

    from keras_dtl.data.splits import shot_split
    from keras_dtl.scripts.recipes.fine_tuning import FineTuningRecipe

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    settings = {"start": str(weights), **SHARED, **WAYS[way]}
    recipe = FineTuningRecipe(seed=seed, epochs=1, **settings)
    data = images_of(folder, domain)
    rarest = int(np.bincount(data.train.labels).min())
    chosen, _ = shot_split(data.train.labels, min(shots, rarest), seed)
    data = data._replace(train=data.train.subset(chosen))
    model = recipe.build_model(data)
    started = time.perf_counter()
    model.fit(
        recipe.batches(data, 0),
        steps_per_epoch=STEPS[shots],
        callbacks=recipe.callbacks(data),
        verbose=0,
    )
    seconds = time.perf_counter() - started
    accuracy = recipe.headline(recipe.score(model, data))["accuracy"]
    return {"accuracy": 100 * accuracy, "seconds": round(seconds, 1)}


def result_of(runs):
    """Return all that is known, with the mean and deviation over seeds of each cell."""
    cells = {}
    for name, run in runs.items():
        cells.setdefault(name.rpartition("/")[0], []).append(run["accuracy"])
    return {
        "what": "accuracy in percent on held-out images of the same domain, last weights",
        "settings": {"shared": SHARED, "ways": WAYS, "steps": STEPS},
        "machine": MACHINE,
        "cells": {
            name: {
                "mean": statistics.mean(values),
                "sd": statistics.stdev(values) if len(values) > 1 else None,
                "seeds": len(values),
            }
            for name, values in cells.items()
        },
        "runs": runs,
    }


def draw(cells, path):
    """Draw accuracy over labelled images a class, a panel for each domain, a line for each way."""
    from keras_dtl.evaluation import figures

    panels = {domain: {} for domain in DOMAINS}
    for name, cell in cells.items():
        domain, shots, way = name.split("/")
        panels[domain].setdefault(way, {})[int(shots)] = (cell["mean"], cell["sd"] or 0.0)
    figure = figures.learning_curves(panels, "labelled images of each class", "accuracy (%)")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder of PACS")
    parser.add_argument("--weights", type=Path, required=True, help="MobileNetV2 without its top")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--minutes", type=float, help="begin no run after so many minutes")
    arguments = parser.parse_args()
    from keras_dtl.scripts.session import start_session

    print(start_session())
    begun = time.monotonic()
    runs = json.loads(RESULT.read_text(encoding="utf-8"))["runs"] if RESULT.exists() else {}
    for seed, shots, domain, way in itertools.product(range(arguments.seeds), SHOTS, DOMAINS, WAYS):
        name = f"{domain}/{shots}/{way}/{seed}"
        if name in runs:
            continue
        if arguments.minutes and time.monotonic() - begun > 60 * arguments.minutes:
            print("Time is up; the same command goes on.")
            break
        runs[name] = train(arguments.folder, arguments.weights, domain, shots, way, seed)
        print(name, runs[name], flush=True)
        write_json(RESULT, result_of(runs))
    draw(result_of(runs)["cells"], RESULT.with_suffix(".png"))


if __name__ == "__main__":
    main()
