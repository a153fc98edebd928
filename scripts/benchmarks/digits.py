"""Digits: every method on each task and protocol, beside its bounds and the published figures.

    TFDS_DATA_DIR=... python scripts/benchmarks/digits.py --tasks mnist-usps-sampled --minutes 10

Tasks are mnist-usps and usps-mnist, sampled (2000 MNIST and 1800 USPS training images, drawn by
the seed) and full, and mnist-mnist_m. Runs that the file holds are not repeated and one that was
stopped is resumed, so it can be killed at any time. Target labels are used for the final score
alone; validators choose without them, and the oracle's choice is kept apart. All scores are on
the target's whole test split. Writes results/digits.json.
"""

import argparse
import itertools
import json
from pathlib import Path

from record import Deadline, read_result, summary, write_result

SIZES = {"mnist": 2000, "usps": 1800}
BASE_METHODS = ("source-only", "target-only", "dann", "dan", "deep-coral", "adda")
# Changes of recipe, without target labels, that a name carries after a plus sign.
CHANGES = {
    "affine": "training images of both domains turned, stretched, slanted and moved at random",
    "intensity": "contrast and brightness of both domains random, half of the images negative",
    "both": "training images of both domains changed at random in form and in intensity",
}
METHODS = BASE_METHODS + tuple(f"{m}+{change}" for change in CHANGES for m in BASE_METHODS)
# Ganin et al., JMLR 2016, table 2 (the last layer refit with a linear SVM there, not here) and
# Tzeng et al., CVPR 2017, where "dann" is the row of gradient reversal.
PUBLISHED = {
    "mnist-mnist_m": {"source-only": 52.25, "dann": 76.66, "target-only": 95.96},
    "mnist-usps-sampled": {"source-only": 75.2, "dann": 77.1, "adda": 89.4},
    "usps-mnist-sampled": {"source-only": 57.1, "dann": 73.0, "adda": 90.1},
    "mnist-usps": {},
    "usps-mnist": {},
}
DIFFERS = {
    "dan": "the paper has no digits: LeNet, MMD on its features, a weight that rises to 30",
    "deep-coral": "the paper has no digits: LeNet, automatic weight",
    "adda": "first stage and network of the other methods, not the paper's",
}


def settings_of(task, method, seed, folder):
    """Return the fields of the recipe."""
    source, target, *sampled = task.split("-")
    base, _, change = method.partition("+")
    values = {"source": source, "target": target, "seed": seed, "resume": True}
    values["preset"] = "paper"
    values |= {"epochs": epochs_of(task, base), "augment": change or "none"}
    values["output"] = run_folder(task, method, seed, folder)
    if task != "mnist-mnist_m":
        values |= {"image_size": 28, "validators": True}
    if sampled:
        values |= {"source_size": SIZES[source], "target_size": SIZES[target], "min_steps": 300}
    if base == "target-only":
        values["labels_from"] = "target"
    if base == "adda":
        values["start"] = str(run_folder(task, first_stage(method), seed, folder))
    return values


def epochs_of(task, method):
    """Return passes over the labelled set: about 2500 steps, on MNIST-M 14,000 or 4,700."""
    if "sampled" in task:
        return 10 if method in ("adda", "dann") else 5  # of 300 steps
    if task == "mnist-mnist_m":
        return 15 if method in ("source-only", "target-only", "dann") else 5
    labelled = task.split("-")[method == "target-only"]
    return 15 if labelled == "usps" else 3


def run_folder(task, method, seed, folder):
    # MNIST-M was there first, without a folder of its own.
    return (folder if task == "mnist-mnist_m" else folder / task) / f"{method}-{seed}"


def train_once(task, method, seed, folder):
    """Train, unless that is done; before ADDA, its first stage."""
    if (run_folder(task, method, seed, folder) / "scores.json").exists():
        return
    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes import RECIPES
    from keras_dtl.recipes.training import train

    base = method.partition("+")[0].replace("target-only", "source-only")
    if base == "adda":
        train_once(task, first_stage(method), seed, folder)
    recipe = RECIPES[base](**settings_of(task, method, seed, folder))
    start_session(seed)
    train(recipe)


def first_stage(method):
    return method.replace("adda", "source-only")


def scores_of(run, seed):
    """Return a finished run's accuracies: of the last iterate, and of every validator's pick."""
    found = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    scores = {"seed": seed, **{name: 100 * score["accuracy"] for name, score in found.items()}}
    if (run / "selection.json").exists():
        choices = json.loads((run / "selection.json").read_text(encoding="utf-8"))["choices"]
        scores["picks"] = {name: 100 * c["target_accuracy"] for name, c in choices.items()}
        scores["picks"].pop("last")
        scores["oracle"] = scores["picks"].pop("oracle")
    return scores


def cell_of(task, method, runs):
    last = [run["target"] for run in runs]
    picks = [run["picks"] for run in runs if "picks" in run]
    return {
        **summary(last, "target_accuracy"),
        "picks": {
            name: summary([pick[name] for pick in picks], "target_accuracy")
            for name in (picks[0] if picks else ())
        },
        "published": PUBLISHED[task].get(method.partition("+")[0]),
        "differs_from_the_paper": differences(method),
        "runs": runs,
    }


def differences(method):
    """Return in words how a run departs from its paper, or None."""
    base, _, change = method.partition("+")
    return "; ".join(filter(None, [DIFFERS.get(base), CHANGES.get(change)])) or None


def collect(folder):
    """Return the result of every run that is finished, whoever started it and when."""
    tasks = {}
    for task in PUBLISHED:
        for method in METHODS:
            runs = {run["seed"]: run for run in kept_runs(task, method)}
            pattern = run_folder(task, method, "*", folder)
            for path in sorted(pattern.parent.glob(f"{pattern.name}/scores.json")):
                seed = int(path.parent.name.rpartition("-")[2])
                runs[seed] = scores_of(path.parent, seed)
            if runs:
                found = [runs[seed] for seed in sorted(runs)]
                tasks.setdefault(task, {})[method] = cell_of(task, method, found)
    return {
        "what": "accuracy on the target's test split in percent, LeNet of Ganin et al. 2016",
        "selection": "last iterate; picks are those of validators without target labels",
        "tasks": tasks,
    }


def kept_runs(task, method):
    """Return the runs that the result holds."""
    tasks = read_result("digits").get("tasks", {})
    return tasks.get(task, {}).get(method, {}).get("runs", [])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=PUBLISHED, default=list(PUBLISHED))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(BASE_METHODS))
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0")
    parser.add_argument("--minutes", type=float, help="begin no further run after so long")
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks/digits"))
    arguments = parser.parse_args()
    deadline = Deadline(arguments.minutes)
    order = itertools.product(range(arguments.seeds), arguments.tasks, arguments.methods)
    for seed, task, method in order:
        if seed in {run["seed"] for run in kept_runs(task, method)}:
            continue
        if deadline.is_over():
            print("Time is up; the same command goes on.")
            break
        train_once(task, method, seed, arguments.folder)
        before = read_result("digits")
        write_result("digits", collect(arguments.folder), show=(), before=before)
        scores = scores_of(run_folder(task, method, seed, arguments.folder), seed)
        print(f"{task:20} {method:12} seed {seed}: {scores['target']:.2f}", flush=True)


if __name__ == "__main__":
    main()
