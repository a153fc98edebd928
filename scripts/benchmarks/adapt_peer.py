"""Side by side with ADAPT 0.4.5: the same networks, data, epochs, optimizers and seeds.

    TFDS_DATA_DIR=... python scripts/benchmarks/adapt_peer.py

MNIST to USPS, 2000 and 1800 images, LeNet, batches of 64 + 64, constant weights and rates in
both. DANN has a row at weight 1 and one at 0.1, ADAPT's own default. Each run is a process of its
own, the two libraries in turn; the ratio of step times is taken within each pair. Also shows
whether the encoder learns the task at all: how far it moves when the weight of the adaptation is 0.
Runs repeat where they are bound to one core. Needs the extra `[peers]`. Resumable run by run.
Writes results/adapt_peer.json.
"""

import argparse
import itertools
import json
import statistics

from clock import StepClock
from record import groups, in_a_process, run_missing, summary

ROWS = {
    "dann": ("dann", 1.0),
    "dann-0.1": ("dann", 0.1),
    "deep-coral": ("deep-coral", 1.0),
    "adda": ("adda", None),
}
"""Method and weight of the adaptation, of which ADDA has none."""
LIBRARIES = ("keras_dtl", "adapt")
SEEDS, EPOCHS, BATCH = 3, 20, 64
CLASSES, FEATURES = 10, 768
WARM_UP = 10  # steps


def load_domains(seed):
    """Return training images and labels of both domains, and the target's test split."""
    from keras_dtl.data import load
    from keras_dtl.data.splits import sample

    parts = []
    for name, size in (("mnist", 2000), ("usps", 1800)):
        images = load(name, "train", image_size=28, channels=3)
        parts.append(images.subset(sample(len(images), size, seed)))
    return *parts, load("usps", "test", image_size=28, channels=3)


def networks(method, squashing=False):
    """Return encoder, classifier and discriminator; ADAPT's losses want probabilities.

    ADDA's discriminator is that of its authors' digit experiments, and sees logits as there.
    """
    import keras
    from keras import layers

    from keras_dtl.backbones import lenet, mlp

    encoder = lenet()
    adda = method == "adda"
    discriminator = mlp((CLASSES,), (500, 500), 1) if adda else mlp((FEATURES,), (100,), 1)
    heads = [mlp((FEATURES,), (100, 100), CLASSES), discriminator]
    if squashing:
        heads = [
            keras.Model(head.inputs[0], layers.Activation(name)(head.outputs[0]))
            for head, name in zip(heads, ("softmax", "sigmoid"), strict=True)
        ]
    return encoder, *heads


def optimizer(method):
    import keras

    return keras.optimizers.Adam(2e-4, 0.5) if method == "adda" else keras.optimizers.SGD(0.01, 0.9)


def train_ours(method, seed, weight=1.0, epochs=EPOCHS):
    import keras

    from keras_dtl.data import domain_batches
    from keras_dtl.methods import ADDA, DANN, DeepCORAL, SourceOnly

    source, target, test = load_domains(seed)
    encoder, classifier, discriminator = networks(method)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    batches = domain_batches(source, target, BATCH, seed)
    steps = len(source) // BATCH
    more, clock = {}, StepClock(WARM_UP)
    if method == "adda":
        first = SourceOnly(encoder, classifier)
        first.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss)
        first.fit(batches, epochs=epochs, steps_per_epoch=steps, verbose=0)
        model = ADDA(encoder, classifier, discriminator, discriminated="logits")
        more["discriminator_optimizer"] = optimizer(method)
    elif method == "dann":
        model = DANN(encoder, classifier, discriminator, weight)
    else:
        model = DeepCORAL(encoder, classifier, weight, compared=("features",))
    before = encoder.get_weights()
    model.compile(optimizer(method), loss, metrics=["accuracy"], **more)
    model.fit(batches, epochs=epochs, steps_per_epoch=steps, verbose=0, callbacks=[clock.callback])
    answers = model.predict(test.images, batch_size=256, verbose=0).argmax(1)
    return answers, test, clock, weight_change(before, encoder)


def train_adapt(method, seed, weight=1.0, epochs=EPOCHS):
    import keras
    import numpy as np
    from adapt import feature_based

    source, target, test = load_domains(seed)
    encoder, classifier, discriminator = networks(method, squashing=True)
    seen = source.images
    if method == "adda":
        # Its second stage after the same first one. It wants the source encoded, and all up to the
        # logits as the encoder, so that its discriminator sees them; the head is mapped as well.
        first = keras.Model(encoder.inputs[0], classifier(encoder.outputs[0]))
        first.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
        first.fit(source.images, source.labels, epochs=epochs, batch_size=BATCH, verbose=0)
        to_logits = keras.Model(classifier.inputs[0], classifier.layers[-1].input)
        encoder = keras.Model(encoder.inputs[0], to_logits(encoder.outputs[0]))
        classifier = keras.Sequential([keras.Input((CLASSES,)), keras.layers.Softmax()])
        seen = encoder.predict(source.images, verbose=0)
    keywords = {"encoder": encoder, "task": classifier, "loss": "categorical_crossentropy"}
    keywords |= {"optimizer": optimizer(method), "metrics": ["accuracy"], "verbose": 0}
    keywords |= {"random_state": seed, "copy": False}
    clock = StepClock(WARM_UP)
    fitting = {"epochs": epochs, "batch_size": BATCH, "verbose": 0}
    if method == "adda":
        keywords |= {"discriminator": discriminator, "optimizer_enc": optimizer(method)}
        keywords |= {"optimizer_disc": optimizer(method), "pretrain": False}
        model = feature_based.ADDA(**keywords)
    elif method == "dann":
        model = feature_based.DANN(discriminator=discriminator, lambda_=weight, **keywords)
    else:
        model = feature_based.DeepCORAL(lambda_=weight, match_mean=False, **keywords)
    before = encoder.get_weights()
    labels = np.eye(CLASSES, dtype="float32")[source.labels]
    model.fit(seen, labels, target.images, callbacks=[clock.callback], **fitting)
    answers = np.asarray(model.predict(test.images)).argmax(1)
    return answers, test, clock, weight_change(before, encoder)


def weight_change(before, encoder):
    """Return the largest change of a weight of the encoder."""
    return max(float(abs(a - b).max()) for a, b in zip(before, encoder.get_weights(), strict=True))


def run_child(library, row, seed):
    """Print one run's result as JSON; its last words are a training of weight 0."""
    import keras

    keras.utils.set_random_seed(seed)
    fit = {"keras_dtl": train_ours, "adapt": train_adapt}[library]
    method, weight = ROWS[row]
    answers, test, clock, _ = fit(method, seed, weight)
    result = {"accuracy": 100 * float((answers == test.labels).mean()), "step_ms": clock.median()}
    if row == "deep-coral" and seed == 0:
        result["encoder_moved_by_the_task_alone"] = fit(method, seed, weight=0.0, epochs=2)[3]
    print(json.dumps(result))


def result_of(runs):
    return {
        "what": "MNIST to USPS, 2000 and 1800 images: accuracy on the target's test split in "
        "percent, median milliseconds of a step; ratio below 1: keras_dtl is faster",
        "epochs": EPOCHS,
        "summary": accuracies_and_times(runs) | time_ratios(runs),
    }


def accuracies_and_times(runs):
    """Return both of each library and method over seeds."""
    return {
        name: {
            **summary([run["accuracy"] for run in found], "accuracy"),
            "step_ms": statistics.median(run["step_ms"] for run in found),
        }
        for name, found in groups(runs).items()
    }


def time_ratios(runs):
    """Return the median over seeds of our time of a step by ADAPT's, where both have run."""
    ratios = {}
    for row, seed in itertools.product(ROWS, range(SEEDS)):
        both = [runs.get(f"{library} {row} {seed}") for library in LIBRARIES]
        if all(both):
            ratios.setdefault(row, []).append(both[0]["step_ms"] / both[1]["step_ms"])
    return {f"step time ratio {row}": statistics.median(found) for row, found in ratios.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs=3, help=argparse.SUPPRESS)
    if only := parser.parse_args().only:
        library, row, seed = only
        run_child(library, row, int(seed))
        return
    order = itertools.product(range(SEEDS), ROWS, LIBRARIES)
    run_missing(
        "adapt_peer",
        [(library, row, seed) for seed, row, library in order],
        lambda *words: in_a_process(__file__, "--only", *words),
        result_of,
    )


if __name__ == "__main__":
    main()
