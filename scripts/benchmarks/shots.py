"""Accuracy against known target labels: 0, 1, 3, 5 and 10 shots a class, PACS photo to sketch.

    python scripts/benchmarks/shots.py --folder DATA/pacs --weights WEIGHTS.h5

Fine-tuning (the source-only model goes on with the shots alone), S+T (both domains' labels, no
adaptation), MME, CCSA and DANN with the shots in its label loss, on the features of `pacs.py`.
Mean and deviation over seeds, last iterate. Resumable run by run. Writes results/shots.json and
shots.png. About fifteen minutes on two CPU cores.
"""

import argparse
import itertools
from pathlib import Path

import pacs
from record import RESULTS, read_result, run_missing

from keras_dtl.files import atomic_path

SHOTS = (0, 1, 3, 5, 10)
METHODS = ("fine-tuning", "S+T", "mme", "ccsa", "dann")
TASK = ("photo", "sketch")
TUNING_STEPS = 100


def run_once(method, shots, source, target, seed):
    """Train once and return the accuracy on the target's test split in percent, or None."""
    import keras

    from keras_dtl.data.splits import shot_split

    if not shots and method in ("mme", "ccsa"):
        return None  # these need labels
    keras.utils.set_random_seed(seed)
    unlabelled, labelled = target["train"], None
    if shots:
        chosen, rest = shot_split(unlabelled["y"], shots, seed)
        labelled, unlabelled = (
            {key: unlabelled[key][indices] for key in "xy"} for indices in (chosen, rest)
        )
    classes = 1 + int(source["train"]["y"].max())
    networks = pacs.new_networks(source["train"]["x"].shape[1], classes, cosine=method == "mme")
    if method == "fine-tuning":
        model = pacs.fit("source-only", networks, pacs.batches(source["train"], None, None, seed))
        if shots:
            data = pacs.batches(labelled, None, None, seed)
            model = pacs.fit("source-only", networks, data, TUNING_STEPS)
    else:
        name = "source-only" if method == "S+T" else method
        model = pacs.fit(name, networks, pacs.batches(source["train"], unlabelled, labelled, seed))
    return {"target": pacs.accuracy(model, target["test"])}


def draw(accuracies, path):
    """Draw a curve for each method."""
    from keras_dtl.evaluation.figures.appearance import new_figure, series_color, style_axes

    figure = new_figure(6, 4)
    axes = figure.subplots()
    for place, method in enumerate(METHODS):
        points = [(n, accuracies.get(f"{method} {n}")) for n in SHOTS]
        points = [(n, s["target_accuracy_mean"], s["target_accuracy_sd"]) for n, s in points if s]
        if points:
            shots, means, deviations = zip(*points, strict=True)
            errors = [deviation or 0 for deviation in deviations]
            color = series_color(place)
            axes.errorbar(shots, means, errors, label=method, color=color, capsize=2, marker="o")
    style_axes(axes, grid="y")
    axes.set_xlabel("known target labels of each class")
    axes.set_ylabel("accuracy on the target (%)")
    axes.set_xticks(SHOTS)
    axes.legend(frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="a sub-folder for each domain")
    parser.add_argument("--weights", default="imagenet", help="imagenet, or a file")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    domains = pacs.cached_features(arguments.folder, arguments.weights)
    source, target = (domains[name] for name in TASK)
    order = itertools.product(range(arguments.seeds), METHODS, SHOTS)
    run_missing(
        "shots",
        [(method, shots, seed) for seed, method, shots in order],
        lambda method, shots, seed: run_once(method, shots, source, target, seed),
        lambda runs: {**pacs.result_of(runs), "task": "-".join(TASK)},
    )
    runs = read_result("shots")["runs"]
    draw(pacs.target_accuracies(runs), RESULTS / "shots.png")


if __name__ == "__main__":
    main()
