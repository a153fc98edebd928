"""CORAL on Office-Caltech10, SURF features: twelve tasks beside no adaptation.

    python scripts/benchmarks/office_caltech.py --folder DATA/office_caltech10_surf

The protocol of Gong et al. 2012, as Sun, Feng & Saenko 2016 follow it: bags of words divided by
their sum, z-scored in each domain; 20 random source images of each class (8 where the source is
dslr) in each of 20 trials; all target images scored. A linear SVM, whose C is chosen by
cross-validation on the source alone, learns aligned source features.

To z-score each domain by itself is an adaptation already, of mean and scale. So a row scores the
target by the source's mean and scale, too: that is the classifier without any adaptation. And a
row takes `x A y` between aligned and plain features as the kernel, where CORAL has `(x A) (y A)` in
training and `(x A) y` in use; some implementations do. Resumable task by task.
Writes results/office_caltech.json. About five minutes on two CPU cores.
"""

import argparse
import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from record import read_result, summary, write_result

DOMAINS = {"A": "amazon", "C": "Caltech10", "D": "dslr", "W": "webcam"}
PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


NAMES = ("source's scale", "no adaptation", "CORAL", "CORAL, bilinear kernel")


class Domain(NamedTuple):
    """Shares of 800 visual words `(examples, 800)`, and labels `(examples,)`."""

    shares: np.ndarray
    labels: np.ndarray

    def z_scores(self, by=None):
        """Return the z-scores by the mean and deviation of a domain, its own by default."""
        reference = (by or self).shares
        deviation = reference.std(0)
        return (self.shares - reference.mean(0)) / np.where(deviation > 0, deviation, 1)


def load_domain(folder, name):
    import scipy.io

    content = scipy.io.loadmat(folder / f"{name}_SURF_L10.mat")
    counts = content["fts"].astype("float64")
    return Domain(counts / counts.sum(1, keepdims=True), content["labels"].ravel())


def trial(source, target, chosen):
    """Return the accuracies on the target in percent by `NAMES`, from chosen source images."""
    from keras_dtl.layers import coral_matrix

    x, labels, y = source.z_scores()[chosen], source.labels[chosen], target.z_scores()
    aligned = x @ coral_matrix(x, y)
    kernels = (
        (x @ x.T, target.z_scores(by=source) @ x.T),
        (x @ x.T, y @ x.T),
        (aligned @ aligned.T, y @ aligned.T),
        (aligned @ x.T, y @ aligned.T),
    )
    return {
        name: 100 * svm_accuracy(*pair, labels, target.labels)
        for name, pair in zip(NAMES, kernels, strict=True)
    }


def svm_accuracy(kernel, target_kernel, labels, target_labels):
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.svm import SVC

    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    search = GridSearchCV(SVC(kernel="precomputed"), {"C": PENALTIES}, cv=folds)
    search.fit(kernel, labels)
    return search.score(target_kernel, target_labels)


def run_task(domains, source, target, trials):
    from keras_dtl.data.splits import shot_split

    labels = domains[source].labels
    shots = 8 if source == "D" else 20
    runs = []
    for seed in range(trials):
        chosen, _ = shot_split(labels, min(shots, np.bincount(labels)[1:].min()), seed)
        runs.append(trial(domains[source], domains[target], chosen))
    return {name: summary(run[name] for run in runs) for name in NAMES}


def main():
    from threadpoolctl import threadpool_limits

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder of *_SURF_L10.mat")
    parser.add_argument("--trials", type=int, default=20)
    arguments = parser.parse_args()
    domains = {key: load_domain(arguments.folder, name) for key, name in DOMAINS.items()}
    result = {
        "what": "accuracy on the target in percent, mean and deviation over trials",
        "protocol": "20 source images a class (8 from dslr), linear SVM, C from the source alone",
        "trials": arguments.trials,
    }
    before = read_result("office_caltech", trials=arguments.trials)
    result["tasks"] = before.get("tasks", {})
    for source, target in itertools.permutations(DOMAINS, 2):
        task = f"{source} to {target}"
        if tuple(result["tasks"].get(task, ())) != NAMES:
            with threadpool_limits(1):
                found = run_task(domains, source, target, arguments.trials)
            result["tasks"][task] = found
            result["mean"] = mean_of(result["tasks"])
            write_result("office_caltech", result, show=(), before=before)
        print(task, {name: round(f["mean"], 1) for name, f in result["tasks"][task].items()})
    print("mean", {name: round(value, 1) for name, value in mean_of(result["tasks"]).items()})


def mean_of(tasks):
    whole = [task for task in tasks.values() if tuple(task) == NAMES]
    return {name: float(np.mean([task[name]["mean"] for task in whole])) for name in NAMES}


if __name__ == "__main__":
    main()
