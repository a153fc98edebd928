"""Label shift made on purpose: what it costs DANN, and what `label_shift` gives back.

    python scripts/benchmarks/label_shift.py --folder DATA/pacs --weights WEIGHTS.h5

In the target every other class keeps a ninth of its images, for training and scoring. Tasks are
digits to digits_m, with LeNet, and photo to art_painting and back, upon MobileNetV2's features as
ImageNet left them (see search_regret.py). Accuracy is the mean over classes, which shares do not
change. Last iterate; target labels make the shift and score, and nothing else. Resumable run by
run. Writes results/label_shift.json. About ten minutes on one CPU core.
"""

import argparse
from pathlib import Path

import numpy as np
from record import groups, run_missing, summary
from search_regret import batches as feature_batches
from search_regret import cached_features, new_model

METHODS = ("source-only", "dann", "dann+shift")
TASKS = ("digits-digits_m", "photo-art_painting", "art_painting-photo")
STEPS, KEPT = {"digits": 600, "features": 300}, 9


def shift_labels(labels):
    """Return positions of which every other class has a ninth."""
    random = np.random.default_rng(0)
    kept = []
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        kept.append(members[: max(1, len(members) // KEPT)] if label % 2 else members)
    return np.sort(np.concatenate(kept))


def shift_features(domain):
    """Return a domain of features in which every other class is rare."""
    train, test = shift_labels(domain["train_labels"]), shift_labels(domain["test_labels"])
    names = {"weak": train, "strong": train, "train_labels": train}
    names |= {"test": test, "test_labels": test}
    return {name: domain[name][chosen] for name, chosen in names.items()}


def mean_class_accuracy(model, images, labels):
    answers = model.predict(images, batch_size=512, verbose=0).argmax(1)
    return 100 * float(np.mean([(answers[labels == k] == k).mean() for k in np.unique(labels)]))


def run_features(source, target, method, seed):
    """Train a method upon features and return its accuracy on the target."""
    import keras

    keras.utils.set_random_seed(seed)
    name, _, shift = method.partition("+")
    classes = 1 + int(source["train_labels"].max())
    dimensions = source["test"].shape[1]
    model, schedules = new_model(name, 0.03, 1.0, dimensions, classes, bool(shift))
    fit(model, schedules, feature_batches(source, target, seed), STEPS["features"])
    return mean_class_accuracy(model, target["test"], target["test_labels"])


def fit(model, schedules, data, steps):
    from keras_dtl.callbacks import ProgressSchedule

    model.fit(data, steps_per_epoch=steps, verbose=0, callbacks=[ProgressSchedule(schedules)])


def run_digits(method, is_shifted, seed):
    """Train a method on digits and return its accuracy on digits_m."""
    import keras

    from keras_dtl.data import domain_batches
    from keras_dtl.recipes import RECIPES

    keras.utils.set_random_seed(seed)
    name, _, shift = method.partition("+")
    recipe = RECIPES[name](source="digits", target="digits_m", seed=seed, label_shift=bool(shift))
    data = recipe.load_data()
    target, test = data.target_train, data.target_test
    if is_shifted:
        target, test = (part.subset(shift_labels(part.labels)) for part in (target, test))
    model = recipe.build_model(data)
    images = domain_batches(data.source_train, target, recipe.batch_size, seed)
    fit(model, recipe.schedules(), images, STEPS["digits"])
    return mean_class_accuracy(model, test.images, test.labels)


def result_of(runs):
    return {
        "what": "mean class accuracy on the target in percent",
        "settings": {"steps": STEPS, "kept": f"1 of {KEPT} of every other class"},
        "selection": "last iterate; target labels for the shift and for scoring alone",
        "summary": {key: summary(values) for key, values in groups(runs).items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="a sub-folder for each domain")
    parser.add_argument("--weights", default="imagenet", help="imagenet, or a file")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    arguments = parser.parse_args()

    def run(task, method, shares, seed):
        source, target = task.split("-")
        if source == "digits":
            return run_digits(method, shares == "shifted", seed)
        domains = [
            cached_features(arguments.folder, arguments.weights, name) for name in (source, target)
        ]
        if shares == "shifted":
            domains[1] = shift_features(domains[1])
        return run_features(*domains, method, seed)

    runs = [
        (task, method, shares, seed)
        for seed in range(arguments.seeds)
        for task in arguments.tasks
        for shares in ("as-they-are", "shifted")
        for method in METHODS
    ]
    run_missing("label_shift", runs, run, result_of)


if __name__ == "__main__":
    main()
