"""Side by side with ADAPT 0.4.5: the same networks, data, epochs, optimizers and seeds.

    TFDS_DATA_DIR=... python scripts/benchmarks/adapt_peer.py

MNIST to USPS, 2000 and 1800 images, LeNet, batches of 64 + 64, constant weights and rates in
both. DANN has a row at weight 1 and one at 0.1, ADAPT's own default. Each run is a process of its
own, the two libraries in turn; the ratio of step times is taken within each pair. Also shows
whether the encoder learns the task at all: how far it moves when the weight of the adaptation is 0.
Runs repeat where they are bound to one core. Needs the extra `[peers]`. Resumable run by run.
Writes results/adapt_peer.json.
"""

import itertools
import json
import statistics
import sys
import time

from record import MACHINE, RESULTS, in_a_process

from keras_dtl.files import write_json

RESULT = RESULTS / "adapt_peer.json"
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


class StepTimes:
    """Notes when each step of `fit` ends."""

    def __init__(self):
        import keras

        self.ends = []
        self.callback = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: self.ends.append(time.perf_counter())
        )

    def median(self):
        seconds = [after - before for before, after in itertools.pairwise(self.ends)]
        return 1000 * statistics.median(seconds[WARM_UP:])


def ours(method, seed, weight=1.0, epochs=EPOCHS):
    import keras

    from keras_dtl.data import domain_batches
    from keras_dtl.methods import ADDA, DANN, DeepCORAL, SourceOnly

    source, target, test = load_domains(seed)
    encoder, classifier, discriminator = networks(method)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    batches = domain_batches(source, target, BATCH, seed)
    steps = len(source) // BATCH
    more, times = {}, StepTimes()
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
    model.fit(batches, epochs=epochs, steps_per_epoch=steps, verbose=0, callbacks=[times.callback])
    answers = model.predict(test.images, batch_size=256, verbose=0).argmax(1)
    return answers, test, times, moved(before, encoder)


def theirs(method, seed, weight=1.0, epochs=EPOCHS):
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
    times = StepTimes()
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
    model.fit(seen, labels, target.images, callbacks=[times.callback], **fitting)
    answers = np.asarray(model.predict(test.images)).argmax(1)
    return answers, test, times, moved(before, encoder)


def moved(before, encoder):
    """Return the largest change of a weight of the encoder."""
    return max(float(abs(a - b).max()) for a, b in zip(before, encoder.get_weights(), strict=True))


def run_child(library, row, seed):
    """Print one run's result as JSON; its last words are a training of weight 0."""
    import keras

    keras.utils.set_random_seed(seed)
    fit = {"keras_dtl": ours, "adapt": theirs}[library]
    method, weight = ROWS[row]
    answers, test, times, _ = fit(method, seed, weight)
    result = {"accuracy": 100 * float((answers == test.labels).mean()), "step_ms": times.median()}
    if row == "deep-coral" and seed == 0:
        result["encoder_moved_by_the_task_alone"] = fit(method, seed, weight=0.0, epochs=2)[3]
    print(json.dumps(result))


def summary(runs):
    result = {}
    for method in ROWS:
        for library in LIBRARIES:
            own = [runs[k] for k in runs if k.startswith(f"{library} {method} ")]
            if own:
                accuracies = [run["accuracy"] for run in own]
                result[f"{library} {method}"] = {
                    "accuracy_mean": statistics.mean(accuracies),
                    "accuracy_sd": statistics.stdev(accuracies) if len(own) > 1 else None,
                    "step_ms": statistics.median(run["step_ms"] for run in own),
                }
        seeds = [seed for seed in range(SEEDS) if f"adapt {method} {seed}" in runs]
        pairs = [[runs[f"{x} {method} {seed}"]["step_ms"] for x in LIBRARIES] for seed in seeds]
        pairs = [ours / theirs for ours, theirs in pairs]
        if pairs:
            result[f"step time ratio {method}"] = statistics.median(pairs)
    return result


def main():
    runs = json.loads(RESULT.read_text(encoding="utf-8"))["runs"] if RESULT.exists() else {}
    for seed, method, library in itertools.product(range(SEEDS), ROWS, LIBRARIES):
        key = f"{library} {method} {seed}"
        if key in runs:
            continue
        runs[key] = in_a_process(__file__, library, method, seed)
        print(key, runs[key], flush=True)
        result = {
            "what": "MNIST to USPS, 2000 and 1800 images: accuracy on the target's test split in "
            "percent, median milliseconds of a step; ratio below 1: keras_dtl is faster",
            "epochs": EPOCHS,
            "machine": MACHINE,
            "summary": summary(runs),
            "runs": runs,
        }
        write_json(RESULT, result)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        main()
