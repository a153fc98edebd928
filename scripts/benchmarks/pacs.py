"""PACS with MobileNetV2: every method against source-only, photo to sketch and to art_painting.

    python scripts/benchmarks/pacs.py --folder DATA/pacs --weights WEIGHTS.h5

The encoder stays as ImageNet left it, so its features are computed once and kept; what adapts is a
bottleneck of 256 units and the classifier upon it. Each domain is split 80/20, and the target's
20 % are for scoring alone. Mean and deviation over seeds, last iterate. Resumable run by run.
Writes results/pacs.json. About fifteen minutes on two CPU cores.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from record import groups, run_missing, summary

from keras_dtl.files import atomic_path

CACHE = Path("runs/benchmarks/pacs/features.npz")
TASKS = (("photo", "sketch"), ("photo", "art_painting"))
METHODS = ("source-only", "target-only", "dan", "deep-coral", "dann", "adda")
BACKBONE, SIZE, BATCH, STEPS, UNITS = "MobileNetV2", 128, 32, 800, 256


def cached_features(folder, weights):
    """Return `{domain: {split: (features, labels)}}`, computed once."""
    if not CACHE.exists():
        arrays = {}
        from keras_dtl.backbones import pretrained
        from keras_dtl.data import load

        encoder = pretrained(BACKBONE, (SIZE, SIZE, 3), weights)
        for domain in sorted({domain for task in TASKS for domain in task}):
            for split in ("train", "test"):
                images = load(f"folder:{folder / domain}", split, image_size=SIZE)
                features = encoder.predict(images.images, batch_size=64, verbose=0)
                arrays[f"{domain}/{split}/x"] = features
                arrays[f"{domain}/{split}/y"] = images.labels
        with atomic_path(CACHE) as temporary:
            np.savez(temporary, **arrays)
    with np.load(CACHE) as stored:
        domains = {}
        for name in stored:
            domain, split, kind = name.split("/")
            domains.setdefault(domain, {}).setdefault(split, {})[kind] = stored[name]
    return domains


def batches(source, target, labelled, seed):
    """Endless batches of features, in the form that the methods take."""
    import tensorflow as tf

    from keras_dtl.data import endless_arrays

    streams = {"source": endless_arrays((source["x"], source["y"]), BATCH, seed)}
    if target is not None:
        streams["target"] = endless_arrays(target["x"], BATCH, seed + 1000)
    if labelled is not None:
        streams["target_labelled"] = endless_arrays(
            (labelled["x"], labelled["y"]), BATCH, seed + 2000
        )
    return tf.data.Dataset.zip(streams)


def new_networks(dimensions, classes, cosine=False):
    """Return a bottleneck and a classifier upon it."""
    import keras
    from keras import layers

    from keras_dtl.backbones import mlp
    from keras_dtl.layers import CosineLogits

    x = keras.Input((dimensions,))
    bottleneck = keras.Model(x, layers.Dense(UNITS, activation="relu")(x), name="bottleneck")
    if not cosine:
        return bottleneck, mlp((UNITS,), (), classes)
    x = keras.Input((UNITS,))
    return bottleneck, keras.Model(x, CosineLogits(classes)(x), name="prototypes")


def new_method(name, networks):
    """Return a method and the optimizers that its `compile` takes, by name."""
    import keras

    from keras_dtl import methods
    from keras_dtl.backbones import mlp

    sgd = {"optimizer": keras.optimizers.SGD(0.01, momentum=0.9)}
    if name == "dan":
        return methods.DAN(*networks), sgd
    if name == "deep-coral":
        return methods.DeepCORAL(*networks, "auto"), sgd
    if name == "dann":
        return methods.DANN(*networks, mlp((UNITS,), (UNITS,), 1), reversal_strength=0.0), sgd
    if name == "mme":
        return methods.MME(*networks), sgd
    if name == "ccsa":
        return methods.CCSA(*networks), sgd
    if name == "adda":
        adam = {
            player: keras.optimizers.Adam(2e-4, 0.5)
            for player in ("optimizer", "discriminator_optimizer")
        }
        discriminator = mlp((UNITS,), (UNITS,), 1)
        return methods.ADDA(*networks, discriminator, discriminated="features"), adam
    return methods.SourceOnly(*networks), sgd


def fit(name, networks, data, steps=STEPS):
    """Fit a method on endless batches, with the schedules of its recipe."""
    import keras

    from keras_dtl.callbacks import ProgressSchedule, inverse_decay, reversal_ramp

    model, optimizers = new_method(name, networks)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(**optimizers, loss=loss)
    schedules = {} if name == "adda" else {"optimizer.learning_rate": inverse_decay(0.01)}
    if name == "dann":
        schedules["reversal_strength"] = reversal_ramp()
    if name == "deep-coral":
        schedules["balance.strength"] = reversal_ramp()
    model.fit(data, steps_per_epoch=steps, verbose=0, callbacks=[ProgressSchedule(schedules)])
    return model


def accuracy(model, examples):
    answers = model.predict(examples["x"], batch_size=512, verbose=0).argmax(1)
    return 100 * float((answers == examples["y"]).mean())


def run_once(method, source, target, seed):
    """Train once and return the accuracies on both test splits in percent."""
    import keras

    keras.utils.set_random_seed(seed)
    dimensions = source["train"]["x"].shape[1]
    networks = new_networks(dimensions, 1 + int(source["train"]["y"].max()))
    learnt = target["train"] if method == "target-only" else source["train"]
    data = batches(learnt, target["train"], None, seed)
    if method == "adda":
        fit("source-only", networks, data)
    model = fit(method, networks, data)
    return {"source": accuracy(model, source["test"]), "target": accuracy(model, target["test"])}


def target_accuracies(runs):
    """Return mean and deviation over seeds of `{task method seed: scores}`."""
    return {
        key: summary((scores["target"] for scores in found), "target_accuracy")
        for key, found in groups(runs).items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="a sub-folder for each domain")
    parser.add_argument("--weights", default="imagenet", help="imagenet, or a file")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    domains = cached_features(arguments.folder, arguments.weights)
    order = itertools.product(range(arguments.seeds), TASKS, METHODS)

    def run(task, method, seed):
        source, target = (domains[name] for name in task.split("-"))
        return run_once(method, source, target, seed)

    words = [("-".join(task), method, seed) for seed, task, method in order]
    run_missing("pacs", words, run, result_of)


def result_of(runs):
    return {
        "what": "accuracy on the target's test split in percent, frozen MobileNetV2 at 128 pixels",
        "settings": {"batch": BATCH, "steps": STEPS, "bottleneck": UNITS},
        "selection": "last iterate; target labels for scoring alone",
        "summary": target_accuracies(runs),
    }


if __name__ == "__main__":
    main()
