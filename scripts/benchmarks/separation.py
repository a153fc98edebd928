"""Content apart from style and view: SwapVAE on MNIST, GMV and CGMV on Yale B and COIL-20.

    TFDS_DATA_DIR=... python scripts/benchmarks/separation.py --rows mnist-leak_free-16 --minutes 30
    python scripts/benchmarks/separation.py --data FOLDER --rows coil20-cgmv --minutes 30

FOLDER holds yaleb_64.npz (x, person) and coil20_64.npz (x, object), uint8 images of 64 pixels, as
`npz:PATH:LABEL` reads them. Runs that are done are not repeated and one that was stopped is
resumed at its last whole epoch, so it can be killed at any time. All runs of one data set share a
judge. Scores are those of the last weights on the test split, which chose nothing. Writes
results/separation.json, with the measures of the judge after each epoch, and a grid of each run to
the folder of the runs.
"""

import argparse
import itertools
import json
import shutil
import time
from pathlib import Path

from record import Deadline, column_summary, read_result, write_result

MNIST = {
    "source": "mnist",
    "filters": 16,
    "batch_size": 64,
    "epochs": 8,
    "learning_rate": 2e-3,
}
# On images in -1..1, the divergence weighs with 7 what it does in the implementation whose figure
# stands beside `faithful`: images in 0..1, one rebuilding and one exchange of each at weight 1.
MODES = {
    "faithful": {"adversarial_weight": 0.01, "divergence_weight": 7.0},
    "leak_free": {
        "adversarial_weight": 0.2,
        "divergence_weight": 1.0,
        "discrepancy_weight": 10.0,
        "confusion_weight": 0.3,
        "classifier_steps": 3,
        "cycle_weight": 0.05,
        "contrast_weight": 0.1,
    },
}
VIEWS = {
    "image_size": 64,
    "content": 32,
    "style": 8,
    "filters": 16,
    "batch_size": 32,
    "epochs": 60,
    "learning_rate": 1e-3,
    "discriminator_learning_rate": 2e-4,
    "gate": 0.8,
}
DRAWN = {**VIEWS, "discriminator_learning_rate": 4e-4}
DRAWN_OF = {
    "yaleb": {
        "modes": 64,
        "epochs": 20,
        "classifiers": 6,
        "classifier_filters": 8,
        "classifier_shift": 0.0625,
        "label_smoothing": 0.05,
        "agreement_weight": 0.5,
        "coverage_weight": 0.5,
    },
    "coil20": {
        "modes": 32,
        "classifiers": 1,
        "classifier_filters": 16,
        "classifier_shift": 0.125,
        "label_smoothing": 0.0,
        "agreement_weight": 1.0,
        "coverage_weight": 0.0,
    },
}
"""GMV's settings: Gaussians somewhat more than there are objects, 38 and 20."""
SOURCES = {"yaleb": "yaleb_64.npz:person", "coil20": "coil20_64.npz:object"}
ROWS = {
    **{
        f"mnist-{mode}-{size}": (
            "swap-vae",
            {**MNIST, **MODES[mode], "mode": mode, "content": size, "style": size},
        )
        for mode in MODES
        for size in (16, 64)
    },
    **{f"{data}-cgmv": ("cgmv", VIEWS) for data in SOURCES},
    **{f"{data}-gmv": ("gmv", {**DRAWN, **DRAWN_OF[data]}) for data in SOURCES},
}
# Percent of MNIST test images, from the tables of two public implementations by A. H. Jha: of
# Mathieu et al. 2016, beside `faithful`, and of Jha et al. 2018, beside `leak_free`. The original
# paper's own tables were not read; Chen et al. 2018 have none that we could compare with.
PUBLISHED = {
    "mnist-faithful-16": {"class from s": 98.52, "class from z": 66.83},
    "mnist-faithful-64": {"class from s": 98.64, "class from z": 72.20},
    "mnist-leak_free-16": {"class from s": 98.35, "class from z": 17.56},
    "mnist-leak_free-64": {"class from s": 98.33, "class from z": 26.55},
}
CURVES = ("swap_accuracy", "agreement", "view_diversity", "latent_accuracy", "divergence")
"""Columns of the history that the result keeps."""


def recipe_of(row, seed, runs, data):
    from keras_dtl.recipes import RECIPES

    name, fields = ROWS[row]
    place = row.partition("-")[0]
    source = {"source": f"npz:{data}/{SOURCES[place]}"} if place in SOURCES else {}
    folder = folder_of(runs, row, seed)
    return RECIPES[name](**{**fields, **source}, seed=seed, output=folder, resume=True)


def folder_of(runs, row, seed):
    return runs / f"{row}-seed{seed}"


def train_once(row, seed, runs, data):
    """Train and score one row with one seed, unless that is done."""
    import keras

    from keras_dtl.cli.session import start_session
    from keras_dtl.images import write_image
    from keras_dtl.recipes.training import train

    folder = folder_of(runs, row, seed)
    if (folder / "scores.json").exists():
        return
    keras.utils.clear_session()
    start_session(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for judge in runs.glob("*/judge-*.keras"):  # one of other images is left alone
        if judge.parent != folder:
            shutil.copy(judge, folder)
    recipe = recipe_of(row, seed, runs, data)
    begun = time.monotonic()
    trained = train(recipe)
    print(f"{row} seed {seed}: {time.monotonic() - begun:.0f} s in this process", flush=True)
    write_image(folder / "grid.png", recipe.picture(trained.model, trained.data))


def collect(runs):
    """Return the result of every run that is finished, whoever started it and when."""
    found = kept_runs()
    for row in ROWS:
        pattern = folder_of(runs, row, "*")
        for path in sorted(pattern.parent.glob(f"{pattern.name}/scores.json")):
            seed = path.parent.name.rpartition("seed")[2]
            found.setdefault(row, {})[seed] = run_of(row, path.parent)
    return {row: cell_of(row, found[row]) for row in ROWS if row in found}


def kept_runs():
    """Return the runs that the result holds, by row and seed."""
    rows = read_result("separation").get("rows", {})
    return {row: values["seeds"] for row, values in rows.items()}


def run_of(row, folder):
    """Return what a finished run wrote down: settings, the headline in percent, scores, curves."""
    from keras_dtl.recipes import RECIPES

    settings, scores, history = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("settings", "scores", "history")
    )
    settings["source"] = Path(settings["source"]).name
    headline = RECIPES[ROWS[row][0]]().headline(scores)
    return {
        "headline": {name: 100 * value for name, value in headline.items()},
        "settings": settings,
        "scores": scores,
        "curves": {name: history[name] for name in CURVES if name in history},
    }


def cell_of(row, seeds):
    """Return mean, deviation and the published figures of a row, and the run of each seed."""
    return {
        **column_summary(run["headline"] for run in seeds.values()),
        "published": PUBLISHED.get(row),
        "seeds": seeds,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--first-seed", type=int, default=0, help="leave out those below it")
    parser.add_argument("--minutes", type=float, help="begin no further run after so long")
    parser.add_argument("--data", type=Path, default=Path(), help="folder of the .npz files")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks/separation"))
    arguments = parser.parse_args()
    deadline = Deadline(arguments.minutes)
    seeds = range(arguments.first_seed, arguments.seeds)
    for seed, row in itertools.product(seeds, arguments.rows):
        if deadline.is_over():
            print("Time is up; the same command goes on.")
            break
        train_once(row, seed, arguments.runs, arguments.data)
        before, rows = read_result("separation"), collect(arguments.runs)
        what = "percent on the test split, weights of the last epoch"
        write_result("separation", {"what": what, "rows": rows}, show=(), before=before)
        print(row, seed, json.dumps(rows[row]["mean"]), flush=True)


if __name__ == "__main__":
    main()
