"""What choosing without target labels costs: 18 tasks, twelve candidates each.

    python scripts/benchmarks/search_regret.py --folder DATA/pacs --weights WEIGHTS.h5
    python scripts/benchmarks/search_regret.py --office DATA/office_caltech10_surf

The candidates of `keras-dtl search`, methods x rates x weights, upon fixed features: of PACS those
of MobileNetV2 at 96 pixels as ImageNet left them (the views that pacs_end_to_end.py keeps), of
Office-Caltech10 the z-scored SURF words of office_caltech.py, changed by dropping some. A
bottleneck of 256 units and a classifier learn for 150 steps of 32 + 32 examples.
`rank_candidates` chooses among them; target labels tell afterwards what that was worth, and what
each validator alone would have cost: on test images and, `of_seen`, on the target images that were
adapted to, which papers report and which are about four times as many. The validators it counts
were chosen on the first seed of PACS; Office-Caltech10 was measured when they stood. Resumable
task by task. Writes results/search_regret.json. A seed of PACS takes about ten minutes on one CPU
core, one of Office-Caltech10 two.
"""

import argparse
import itertools
import statistics
from pathlib import Path

import numpy as np
import office_caltech
from pacs_end_to_end import BATCH, CACHE, DOMAINS, TASKS, UNITS, VIEWS, cached_maps, halves_of
from record import run_missing

STEPS = 150
METHODS = ("source-only", "mcc", "dann", "deep-coral", "adamatch")
"""As their recipes are by default: gradients clipped, rates warmed up, DANN restrained; mcc shows
the source's classes equally often, and half of the images of both domains strongly changed."""
RATES, WEIGHTS = (0.03, 0.01), {"mcc": (1.0, 0.3)}
CANDIDATES = tuple(
    (method, rate, weight)
    for method in METHODS
    for rate in RATES
    for weight in WEIGHTS.get(method, (1.0,))
)
BASELINE = CANDIDATES[0]
DROPPED = {"weak": 0.05, "strong": 0.3}
"""Share of the words that a view of Office-Caltech10 shows as their mean."""
OFFICE_TASKS = tuple(itertools.permutations(office_caltech.DOMAINS, 2))


def cached_features(folder, weights, domain):
    """Return a domain's features: `weak` and `strong` views, `test`, and labels of both splits."""
    path = CACHE / f"{domain}_features.npz"
    if not path.exists():
        maps = cached_maps(folder, weights, domain)
        _, upper = halves_of(weights)
        found = {name: maps[name] for name in ("train_labels", "test_labels")}
        found["test"] = features_of(upper, maps["test"])
        for kind in ("weak", "strong"):
            views = [features_of(upper, maps[kind][:, view]) for view in range(VIEWS)]
            found[kind] = np.stack(views, 1)
        np.savez(path, **found)
    with np.load(path) as stored:
        return dict(stored)


def office_features(folder, name):
    """Return a domain of Office-Caltech10 likewise; a fifth of it, at random, is its test."""
    domain = office_caltech.load_domain(folder, office_caltech.DOMAINS[name])
    random = np.random.default_rng(0)
    order = random.permutation(len(domain.labels))
    cut = round(0.8 * len(order))
    words, labels = domain.z_scores().astype("float32"), domain.labels.astype("int32") - 1
    train, test = order[:cut], order[cut:]
    found = {"train_labels": labels[train], "test": words[test], "test_labels": labels[test]}
    for kind, share in DROPPED.items():
        kept = random.random((len(train), VIEWS, words.shape[1])) > share
        found[kind] = words[train][:, None] * kept.astype("float32")
    return found


def features_of(upper, maps):
    return upper.predict(maps.astype("float32"), batch_size=256, verbose=0)


def batches(source, target, seed, plus=False):
    """Endless batches of features of a random view of each example; for `plus` see METHODS."""
    import tensorflow as tf

    from keras_dtl.data import endless_arrays
    from keras_dtl.data.splits import balanced_positions

    def stream(domain, seed):
        arrays = (domain["weak"], domain["strong"], domain["train_labels"])
        return endless_arrays(arrays, BATCH, seed, augment=one_view)

    def one_view(batch, seed):
        weak, strong, labels = batch
        view = tf.random.stateless_uniform((), seed, 0, VIEWS, dtype="int32")
        weak, strong = weak[:, view], strong[:, view]
        if plus:
            weak = tf.concat([strong[: BATCH // 2], weak[BATCH // 2 :]], 0)
        return weak, strong, labels

    if plus:
        order = balanced_positions(source["train_labels"])
        names = ("weak", "strong", "train_labels")
        source = {**source, **{name: source[name][order] for name in names}}

    def named(ours, theirs):
        found = {"source": (ours[0], ours[2]), "source_strong": ours[1]}
        return {**found, "target": theirs[0], "target_strong": theirs[1]}

    pair = (stream(source, seed), stream(target, seed + 1000))
    return tf.data.Dataset.zip(*pair).map(named)


def new_model(method, rate, weight, dimensions, classes, label_shift=False):
    """Return a compiled method upon features, and its schedules."""
    import keras
    from keras import layers

    from keras_dtl import methods
    from keras_dtl.backbones import mlp
    from keras_dtl.callbacks import half_cosine_rise, inverse_decay, reversal_ramp, warm_up
    from keras_dtl.recipes.rates import CLIPPING, WARM_UP

    x = keras.Input((dimensions,))
    bottleneck = keras.Model(x, layers.Dense(UNITS, activation="relu")(x), name="bottleneck")
    networks = bottleneck, mlp((UNITS,), (), classes)
    schedules = {"optimizer.learning_rate": warm_up(inverse_decay(rate), WARM_UP)}
    if method == "dann":
        discriminator = mlp((UNITS,), (UNITS,), 1)
        settings = {"restrained": True, "label_shift": label_shift}
        model = methods.DANN(*networks, discriminator, weight, 0.0, **settings)
        schedules["reversal_strength"] = reversal_ramp()
    elif method == "source-only":
        model = methods.SourceOnly(*networks)
    elif method == "deep-coral":
        model = methods.DeepCORAL(*networks, weight)
    else:
        model = {"mcc": methods.MCC, "adamatch": methods.AdaMatch}[method](*networks, weight)
        ramp = {"mcc": reversal_ramp, "adamatch": half_cosine_rise}[method]
        schedules["adaptation_strength"] = ramp()
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, global_clipnorm=CLIPPING),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model, schedules


def train(candidate, source, target, seed):
    import keras

    from keras_dtl.callbacks import ProgressSchedule

    keras.utils.set_random_seed(seed)
    classes = 1 + int(source["train_labels"].max())
    model, schedules = new_model(*candidate, source["test"].shape[1], classes)
    data = batches(source, target, seed, plus=candidate[0] == "mcc")
    callbacks = [ProgressSchedule(schedules)]
    model.fit(data, steps_per_epoch=STEPS, verbose=0, callbacks=callbacks)
    return model


def outputs_of(model, features, labels=None):
    """Return the `ModelOutputs` of at most 1000 examples."""
    from keras_dtl.evaluation import ModelOutputs, choose_indices

    chosen = choose_indices(len(features), 1000, 0)
    hidden = model.encoder.predict(features[chosen], batch_size=512, verbose=0)
    logits = model.classifier.predict(hidden, batch_size=512, verbose=0).astype("float64")
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    known = None if labels is None else labels[chosen]
    return ModelOutputs(hidden, exponents / exponents.sum(1, keepdims=True), known)


def run_task(source, target, seed):
    """Train all candidates of a task, rank them, and return what the choice was worth."""
    from keras_dtl.evaluation import Candidate, rank_candidates, regrets

    outputs, accuracies, of_seen = {}, {}, {}
    for candidate in CANDIDATES:
        name = " ".join(map(str, candidate))
        model = train(candidate, source, target, seed)
        outputs[name] = Candidate(
            outputs_of(model, source["weak"][:, 0], source["train_labels"]),
            outputs_of(model, source["test"], source["test_labels"]),
            outputs_of(model, target["weak"][:, 0]),
        )
        accuracies[name] = accuracy_of(model, target["test"], target["test_labels"])
        of_seen[name] = accuracy_of(model, target["weak"][:, 0], target["train_labels"])
    baseline = " ".join(map(str, BASELINE))
    ranking = rank_candidates(outputs, baseline)
    return {
        "chosen": ranking[0].name,
        "accuracy": accuracies[ranking[0].name],
        "above_source_only": accuracies[ranking[0].name] - accuracies[baseline],
        "regret": regrets(ranking, accuracies),
        "accuracies": accuracies,
        "of_seen": {
            "regret": regrets(ranking, of_seen)["ensemble"],
            "above_source_only": of_seen[ranking[0].name] - of_seen[baseline],
            "images": len(target["train_labels"]),
        },
        "ranking": [row._asdict() for row in ranking],
    }


def accuracy_of(model, features, labels):
    """Return it in percent."""
    answers = model.predict(features, batch_size=512, verbose=0).argmax(1)
    return 100 * float((answers == labels).mean())


def result_of(tasks):
    """Return means over the tasks of each data set, and how the choice does beside source-only."""
    found = {}
    for name, pairs in (("PACS", TASKS), ("Office-Caltech10", OFFICE_TASKS)):
        mine = [task for key, task in tasks.items() if tuple(key.split()[:2]) in pairs]
        if mine:
            found[name] = summary_of(mine)
    return {
        "what": "points of accuracy lost against the best candidate, by what chooses",
        "settings": {"steps": STEPS, "batch": BATCH, "candidates": len(CANDIDATES)},
        "selection": "last iterates; target labels for scoring alone",
        "summary": found,
    }


def summary_of(tasks):
    return {
        "choices": len(tasks),
        "mean_regret": {
            name: statistics.mean(task["regret"][name] for task in tasks)
            for name in tasks[0]["regret"]
        },
        "mean_above_source_only": statistics.mean(task["above_source_only"] for task in tasks),
        "least_above_source_only": min(task["above_source_only"] for task in tasks),
        "of_seen": {
            "mean_regret": statistics.mean(task["of_seen"]["regret"] for task in tasks),
            "least_above_source_only": min(task["of_seen"]["above_source_only"] for task in tasks),
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="PACS: a sub-folder for each domain")
    parser.add_argument("--weights", default="imagenet", help="imagenet, or a file")
    parser.add_argument("--office", type=Path, help="folder of *_SURF_L10.mat")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    domains, tasks = {}, []
    if arguments.folder:
        tasks += TASKS
        domains |= {d: cached_features(arguments.folder, arguments.weights, d) for d in DOMAINS}
    if arguments.office:
        tasks += OFFICE_TASKS
        domains |= {d: office_features(arguments.office, d) for d in office_caltech.DOMAINS}
    if not tasks:
        parser.error("give --folder, --office, or both")

    def run(source, target, seed):
        return run_task(domains[source], domains[target], seed)

    runs = [(*task, seed) for seed in arguments.seeds for task in tasks]
    run_missing("search_regret", runs, run, result_of, show=lambda found: found["regret"])


if __name__ == "__main__":
    main()
