"""PACS with MobileNetV2 trained, not frozen: every method against source-only on all six tasks.

    python scripts/benchmarks/pacs_end_to_end.py --folder DATA/pacs --weights WEIGHTS.h5

Photo, art_painting and sketch, each to each, at 96 pixels, 32 + 32 images a step, 200 steps, the
same settings for all tasks. Blocks 14 to 16 and the last convolution, two thirds of the weights,
learn at a tenth of the classifier's rate; what lies below stays as it is (as the first layers do
in Long et al. 2015), so that its output is computed once for two weakly and two strongly changed
views of each image, and kept. `mcc+` is what `keras-dtl train mcc` does by default; what part of
its gain is the changes' and the even classes', `source-only+` says. Each domain is split 80/20,
and the target's 20 % are for scoring alone. Last iterate, mean and deviation over seeds. Resumable
row by row.
Writes results/pacs_end_to_end.json. Ten to twenty-five seconds a run on an idle CPU core.
"""

import argparse
import functools
import time
from pathlib import Path

import numpy as np
from record import groups, run_missing, summary

from keras_dtl.cli.session import start_session
from keras_dtl.files import atomic_path
from keras_dtl.recipes.rates import CAREFUL_CLIPPING, CLIPPING, WARM_UP, Training

CACHE = Path("runs/benchmarks/pacs_end_to_end")
DOMAINS = ("photo", "art_painting", "sketch")
TASKS = tuple((a, b) for a in DOMAINS for b in DOMAINS if a != b)
BACKBONE, SIZE, CUT = "MobileNetV2", 96, "block_13_project_BN"
BATCH, STEPS, EPOCHS, VIEWS, UNITS = 32, 200, 4, 2, 256
TRAINING = Training(0.01, 0.1, CLIPPING, WARM_UP)
"""Of all methods but SHOT and ADDA, as their recipes train networks that came with weights."""
ADAPTING = Training(0.01, 0.1, CAREFUL_CLIPPING, WARM_UP)
"""Of SHOT, as its recipe adapts networks that know something already."""
ADDA_RATE = 2e-4
"""Of both players' Adam in ADDA, as in its recipe."""


def halves_of(weights):
    """Return the frozen lower layers, from images to maps, and the upper ones, to features."""
    import keras

    from keras_dtl.backbones import pretrained

    encoder = pretrained(BACKBONE, (SIZE, SIZE, 3), weights)
    body = next(layer for layer in encoder.layers if isinstance(layer, keras.Model))
    middle = body.get_layer(CUT).output
    below = keras.Model(body.inputs[0], middle)
    images = encoder.inputs[0]
    before = encoder.operations[encoder.operations.index(body) - 1]
    entrance = keras.Model(images, before.output)
    upper = keras.Model(middle, body.outputs[0], name="upper")
    return keras.Model(images, below(entrance(images))), upper


def cached_maps(folder, weights, domain):
    """Return a domain's arrays: `weak` and `strong` views, `test` maps, labels."""
    path = CACHE / f"{domain}.npz"
    if not path.exists():
        from keras_dtl.data import load

        lower, _ = halves_of(weights)
        train, test = (
            load(f"folder:{folder / domain}", split, image_size=SIZE) for split in ("train", "test")
        )
        maps = {"weak": views(lower, train.images, "crop")}
        maps["strong"] = views(lower, train.images, "strong")
        maps["test"] = maps_of(lower, test.images)
        maps["train_labels"], maps["test_labels"] = train.labels, test.labels
        with atomic_path(path) as temporary:
            np.savez(temporary, **maps)
    with np.load(path) as stored:
        return dict(stored)


def maps_of(lower, images):
    return lower.predict(images, batch_size=64, verbose=0).astype("float16")


def views(lower, images, change):
    """Return `(examples, VIEWS, height, width, channels)` of randomly changed images."""
    import tensorflow as tf

    from keras_dtl.data.augmentation import AUGMENTATIONS

    found = []
    for view in range(VIEWS):
        parts = [
            AUGMENTATIONS[change](images[start : start + 64], tf.constant([view, start], "int64"))
            for start in range(0, len(images), 64)
        ]
        found.append(maps_of(lower, np.concatenate(parts)))
    return np.stack(found, 1)


def even_classes(labels):
    """Return positions of examples, those of rarer classes several times over."""
    counts = np.bincount(labels)
    return np.concatenate(
        [np.resize(np.flatnonzero(labels == k), counts.max()) for k in range(len(counts))]
    )


def batches(source, target, seed, plus=False):
    """Endless batches of maps, in the form that the methods take; a random view of each image.

    Args:
        source, target: What `cached_maps` returned.
        seed: Choice of the orders and views.
        plus: Whether the source's classes come equally often, and half of the images of both
            domains are changed strongly.
    """
    import tensorflow as tf

    from keras_dtl.data import endless_arrays

    ours = np.arange(len(source["train_labels"]))
    if plus:
        ours = even_classes(source["train_labels"])
    streams = (
        endless_arrays(ours, BATCH, seed),
        endless_arrays(np.arange(len(target["train_labels"])), BATCH, seed + 1000),
    )
    random = np.random.default_rng(seed)

    def pick(domain, kind, chosen):
        views = random.integers(0, VIEWS, len(chosen))
        return domain[kind][chosen, views].astype("float32")

    def maps(ours, theirs):
        found = [
            pick(domain, kind, chosen)
            for kind in ("weak", "strong")
            for domain, chosen in ((source, ours), (target, theirs))
        ]
        if plus:
            for weak, strong in zip(found[:2], found[2:], strict=True):
                weak[: BATCH // 2] = strong[: BATCH // 2]
        return found

    labels = tf.constant(source["train_labels"])

    def batch(ours, theirs):
        arrays = tf.numpy_function(maps, (ours, theirs), ["float32"] * 4)
        for array in arrays:
            array.set_shape((BATCH, *source["test"].shape[1:]))
        names = ("source", "target", "source_strong", "target_strong")
        found = dict(zip(names, arrays, strict=True))
        return {**found, "source": (found["source"], tf.gather(labels, ours))}

    return tf.data.Dataset.zip(streams).map(batch).prefetch(2)


@functools.cache
def upper_layers(weights):
    """Return the upper layers, built once, and the weights they came with."""
    _, upper = halves_of(weights)
    return upper, upper.get_weights()


def new_networks(weights, classes):
    """Return the upper layers as they came and a classifier with a bottleneck upon them."""
    from keras_dtl.backbones import mlp

    upper, values = upper_layers(weights)
    upper.set_weights(values)
    return upper, mlp(upper.output_shape[1:], (UNITS,), classes, name="classifier")


METHODS = (
    *("source-only", "mcc+", "dann", "shot+", "cdan", "source-only+", "mcc", "adamatch"),
    *("dan", "deep-coral", "adda", "shot"),
)
"""With a plus: the source's classes equally often, and half of the images changed strongly."""
SECOND_STAGES = ("shot", "adda")
"""Which begin with networks that have learnt the source."""


def new_method(name, networks):
    from keras_dtl import methods
    from keras_dtl.backbones import mlp

    settings, adversary = {"batch_norm": "frozen"}, {"reversal_strength": 0.0, "restrained": True}
    if name == "cdan":
        from keras_dtl.methods.adaptation.cdan import conditioned_size

        joint = conditioned_size(*(network.output_shape[-1] for network in networks))
        return methods.CDAN(*networks, mlp((joint,), (UNITS,), 1), **adversary, **settings)
    if name == "dann":
        discriminator = mlp(networks[0].output_shape[1:], (UNITS,), 1)
        return methods.DANN(*networks, discriminator, **adversary, **settings)
    if name == "adda":
        judge = mlp(networks[1].output_shape[1:], (500, 500), 1)
        return methods.ADDA(*networks, judge, discriminated="logits", **settings)
    if name == "dan":
        return methods.DAN(*networks, compared=("hidden_1", "logits"), **settings)
    if name == "deep-coral":
        settings |= {"adaptation_weight": "auto", "compared": ("logits",)}
        return methods.DeepCORAL(*networks, **settings)
    classes = {"mcc": methods.MCC, "adamatch": methods.AdaMatch, "shot": methods.SHOT}
    return classes.get(name, methods.SourceOnly)(*networks, **settings)


def training_of(name):
    return ADAPTING if name == "shot" else TRAINING


def schedules_of(name):
    from keras_dtl.callbacks import half_cosine_rise, inverse_decay, reversal_ramp

    schedules = {"optimizer.learning_rate": training_of(name).schedule(inverse_decay)}
    if name in ("dann", "cdan"):
        schedules["reversal_strength"] = reversal_ramp()
    if name == "mcc":
        schedules["adaptation_strength"] = reversal_ramp()
    if name == "deep-coral":
        schedules["balance.strength"] = reversal_ramp()
    if name == "adamatch":
        schedules["adaptation_strength"] = half_cosine_rise()
    return schedules


def fit(name, networks, data, callbacks=()):
    """Fit a method with the optimizer, rates and schedules of its recipe."""
    import keras

    from keras_dtl.callbacks import ProgressSchedule

    model = new_method(name, networks)
    rate, encoder_rate, clip, _ = training_of(name)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if name == "adda":
        adams = [keras.optimizers.Adam(ADDA_RATE, 0.5, global_clipnorm=clip) for _ in range(2)]
        rates = {"encoder": encoder_rate}
        model.compile(
            adams[0], loss, discriminator_optimizer=adams[1], learning_rate_multipliers=rates
        )
    else:
        sgd = keras.optimizers.SGD(rate, momentum=0.9, global_clipnorm=clip)
        model.compile(sgd, loss, learning_rate_multipliers={"encoder": encoder_rate})
        callbacks = [ProgressSchedule(schedules_of(name)), *callbacks]
    model.fit(data, epochs=EPOCHS, steps_per_epoch=STEPS // EPOCHS, verbose=0, callbacks=callbacks)
    return model


def fit_without_source(networks, data, target):
    """Adapt trained networks to the target alone, by SHOT."""
    from keras_dtl.callbacks import Refresh

    only_target = data.map(lambda batch: {"target": batch["target"]})
    images = target["weak"][:, 0].astype("float32")
    return fit("shot", networks, only_target, [Refresh(images)])


def accuracy(model, domain):
    answers = model.predict(domain["test"].astype("float32"), batch_size=256, verbose=0).argmax(1)
    return 100 * float((answers == domain["test_labels"]).mean())


def run_once(method, source, target, seed, weights):
    """Train once and return the accuracies on both test splits in percent, and the seconds."""
    import keras

    keras.utils.set_random_seed(seed)
    start = time.perf_counter()
    networks = new_networks(weights, 1 + int(source["train_labels"].max()))
    name, plus, _ = method.partition("+")
    data = batches(source, target, seed, bool(plus))
    model = fit("source-only" if name in SECOND_STAGES else name, networks, data)
    if name in SECOND_STAGES:
        # Anew: how many batches the first training drew ahead is a matter of time.
        data = batches(source, target, seed, bool(plus))
        if name == "shot":
            model = fit_without_source(networks, data, target)
        else:
            model = fit(name, networks, data)
    scores = {"source": accuracy(model, source), "target": accuracy(model, target)}
    return {**scores, "seconds": round(time.perf_counter() - start, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="a sub-folder for each domain")
    parser.add_argument("--weights", default="imagenet", help="imagenet, or a file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--tasks", nargs="+", default=["-".join(task) for task in TASKS])
    arguments = parser.parse_args()
    start_session()
    domains = {d: cached_maps(arguments.folder, arguments.weights, d) for d in DOMAINS}

    def run(task, method, seed):
        source, target = task.split("-")
        return run_once(method, domains[source], domains[target], seed, arguments.weights)

    runs = [
        (task, method, seed)
        for seed in arguments.seeds
        for method in arguments.methods
        for task in arguments.tasks
    ]
    run_missing("pacs_end_to_end", runs, run, result_of)


def result_of(runs):
    """Return means and deviations by task and method, and gains over source-only by method."""
    found = {key: [run["target"] for run in values] for key, values in groups(runs).items()}
    settings = {"batch": BATCH, "steps": STEPS, "views": VIEWS, "cut": CUT}
    settings |= {"training": TRAINING._asdict(), "shot": ADAPTING._asdict()}
    return {
        "what": "accuracy on the target's test split in percent, MobileNetV2 at 96 pixels",
        "settings": settings,
        "selection": "last iterate; target labels for scoring alone",
        "summary": {key: summary(values, "target_accuracy") for key, values in found.items()},
        "gains": gains(found),
    }


def gains(found):
    """Return each method's mean gain over source-only, over all tasks and on the worst of them.

    Args:
        found: `{"task method": [accuracy of each seed]}`.
    """
    means = {key: float(np.mean(values)) for key, values in found.items()}
    differences = {}
    for key, value in means.items():
        task, method = key.split(" ")
        if (bound := means.get(f"{task} source-only")) is not None:
            differences.setdefault(method, {})[task] = value - bound
    return {
        method: {"mean": float(np.mean(list(by.values()))), "worst": min(by.values()), "tasks": by}
        for method, by in differences.items()
        if method != "source-only"
    }


if __name__ == "__main__":
    main()
