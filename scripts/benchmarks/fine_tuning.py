"""Learning curves of fine-tuning: few labels, four ways to use an encoder, two domains.

    python scripts/benchmarks/fine_tuning.py --folder DATA/pacs --weights DATA/weights/FILE

MobileNetV2 on PACS at 96 pixels, from 5, 20 and 100 labelled images of each class (of sketches
64, as many as the rarest class has): started at random, frozen below a new classifier, tuned as a
whole, and tuned with rates that fall from layer to layer. Photos lie near ImageNet, sketches far.
Pretrained batch normalisation stays frozen. The learning rate of each curve is chosen for each
domain and number of images, by the accuracy on images that are neither learnt from nor scored; a
rate by which a training diverges, as its own loss tells, is given up for the next best. The last
weights of each run are scored, on the fifth of each class that is never learnt from.
Resumable run by run: kill it and start it again. Writes results/fine_tuning.json and
fine_tuning.png. 36 runs to choose rates and 72 for the scores, of about half a minute on one core.
"""

import argparse
import functools
import itertools
import math
import time
from pathlib import Path

import numpy as np
from record import RESULTS, Deadline, groups, read_result, summary, write_result

from keras_dtl.files import atomic_path

DOMAINS = ("photo", "sketch")
SHOTS = (5, 20, 100)
STEPS = {5: 60, 20: 100, 100: 200}
WAYS = {
    "random": {"start": "random", "batch_norm": "moving"},
    "frozen": {"train_from": "head"},
    "full": {},
    "discriminative": {"rate_decay": 0.95},
}
# What is chosen from. The encoder's rate is a factor of the classifier's.
RATES = {
    "random": [{"learning_rate": 0.05}],
    "frozen": [{"learning_rate": rate} for rate in (0.05, 0.2)],
    "full": [{"learning_rate": rate} for rate in (0.0001, 0.0005)],
    "discriminative": [
        {"learning_rate": 0.01, "encoder_rate": 0.03},
        {"learning_rate": 0.05, "encoder_rate": 0.006},
    ],
}
SEARCH_SEED, SEARCH_IMAGES = 1000, 20  # of a class at most, left to choose rates on
SHARED = {"backbone": "MobileNetV2", "image_size": 96, "flip": True, "batch_size": 16}


@functools.cache
def images_of(folder, domain):
    """Return all images of a domain, those to learn from and those to score on."""
    from keras_dtl.recipes.fine_tuning import FineTuningRecipe

    return FineTuningRecipe(target=f"folder:{folder / domain}", **SHARED).load_data()


def train(weights, data, steps, seed, settings):
    """Train once and return the accuracy in percent, the mean training loss, and the seconds."""
    import keras

    from keras_dtl.recipes.fine_tuning import FineTuningRecipe

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    recipe = FineTuningRecipe(
        seed=seed, epochs=1, preset="paper", **{"start": str(weights), **SHARED, **settings}
    )
    model = recipe.build_model(data)
    started = time.perf_counter()
    history = model.fit(
        recipe.batches(data, 0),
        steps_per_epoch=steps,
        callbacks=recipe.callbacks(data),
        verbose=0,
    )
    seconds = time.perf_counter() - started
    accuracy = recipe.headline(recipe.score(model, data))["accuracy"]
    loss = history.history["label_loss"][-1]
    return {"accuracy": 100 * accuracy, "loss": loss, "seconds": round(seconds, 1)}


def few_images(data, shots, seed, left=0):
    """Return the data with so many images of each class to learn from, and what remains of them.

    Where a class has fewer, less `left`, all classes have as few.
    """
    from keras_dtl.data.splits import shot_split

    rarest = int(np.bincount(data.train.labels).min()) - left
    chosen, rest = shot_split(data.train.labels, min(shots, rarest), seed)
    return data._replace(train=data.train.subset(chosen)), data.train.subset(rest)


def choose_rate(arguments, cell):
    """Return every rate with its accuracy on images that are neither learnt from nor scored."""
    from keras_dtl.data.splits import shot_split

    domain, shots, way = cell.split("/")
    if len(RATES[way]) == 1:
        return RATES[way]
    data, shots = images_of(arguments.folder, domain), int(shots)
    few, rest = few_images(data, shots, SEARCH_SEED, left=SEARCH_IMAGES)
    chosen, _ = shot_split(rest.labels, SEARCH_IMAGES, SEARCH_SEED)
    few = few._replace(test=rest.subset(chosen))
    tried = [
        {**rate, **train(arguments.weights, few, STEPS[shots], SEARCH_SEED, WAYS[way] | rate)}
        for rate in RATES[way]
    ]
    return sorted(tried, key=lambda run: run["accuracy"], reverse=True)


def next_missing(runs, seeds):
    """Return the first cell and seed that is not done, or `None`."""
    for seed, shots, domain, way in itertools.product(range(seeds), SHOTS, DOMAINS, WAYS):
        cell = f"{domain}/{shots}/{way}"
        if f"{cell}/{seed}" not in runs:
            return cell, seed
    return None


def result_of(rates, runs):
    """Return all that is known, with the mean and deviation over seeds of each cell."""
    cells = {name: [run["accuracy"] for run in found] for name, found in groups(runs, "/").items()}
    return {
        "what": "accuracy in percent on held-out images of the same domain, last weights",
        "settings": {"shared": SHARED, "ways": WAYS, "steps": STEPS},
        "rates": rates,
        "cells": {
            name: {**summary(values), "seeds": len(values)} for name, values in cells.items()
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
    from keras_dtl.cli.session import start_session

    print(start_session())
    deadline, before = Deadline(arguments.minutes), read_result("fine_tuning")
    rates, runs = before.get("rates", {}), before.get("runs", {})
    while (cell_and_seed := next_missing(runs, arguments.seeds)) is not None:
        if deadline.is_over():
            print("Time is up; the same command goes on.")
            break
        cell, seed = cell_and_seed
        if cell in rates:
            runs = run_cell(arguments, cell, seed, rates, runs)
        else:
            rates[cell] = choose_rate(arguments, cell)
            print(cell, rates[cell], flush=True)
        write_result("fine_tuning", result_of(rates, runs), show=(), before=before)
    draw(result_of(rates, runs)["cells"], RESULTS / "fine_tuning.png")


def run_cell(arguments, cell, seed, rates, runs):
    """Train one cell with one seed; return the runs with it, or without those of a rate given up.

    Args:
        arguments: Of the command line.
        cell: DOMAIN/SHOTS/WAY.
        seed: Of the run.
        rates: Of each cell, best first; one by which the training diverges is moved out.
        runs: What is done already.
    """
    domain, shots, way = cell.split("/")
    data, shots = images_of(arguments.folder, domain), int(shots)
    best = {name: rates[cell][0][name] for name in RATES[way][0]}
    few, _ = few_images(data, shots, seed)
    run = train(arguments.weights, few, STEPS[shots], seed, WAYS[way] | best)
    print(cell, seed, run, flush=True)
    if run["loss"] < math.log(len(data.train.classes)) or len(rates[cell]) == 1:
        return {**runs, f"{cell}/{seed}": run}
    print(f"{cell}: diverged with {best}; the next best rate is taken.", flush=True)
    rates.setdefault(f"given up: {cell}", []).append(rates[cell].pop(0))
    return {name: one for name, one in runs.items() if name.rpartition("/")[0] != cell}


if __name__ == "__main__":
    main()
