"""What it costs to train in two processes, and to convert on Ray.

    python scripts/benchmarks/distribution.py [SECTION ...]

Sections dann and cyclegan: LeNet DANN with 64 + 64 images of 28x28x3, and a small CycleGAN with 4
images of 64x64x3, in one process with both cores and the whole batch, and in two processes on the
loopback address with half the batch and one core each, by turns. Section conversion: 10,000 small
images by `--engine processes`, by `--engine ray`, which begins a cluster, and by that on a cluster
that runs, by turns. Ratios are taken within each round.
A section takes a few minutes on two cores; one that was stopped goes on. Writes
results/distribution.json, with the load of the machine as it was.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clock import StepClock
from record import in_a_process, read_result, write_result

ROUNDS, WORKERS, IMAGES = 5, 2, 10_000
STEPS = {"dann": (30, 150), "cyclegan": (5, 20)}
"""Steps of the warm-up and steps that count."""


# A training ------------------------------------------------------------------------------------


def dann():
    """Return the model, and its endless batches, of the classifier."""
    import keras

    from keras_dtl.backbones import lenet, mlp
    from keras_dtl.data import LabelledImages, domain_batches
    from keras_dtl.methods import DANN

    encoder = lenet()
    model = DANN(encoder, mlp((768,), (100, 100), 10), mlp((768,), (100,), 1))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss, metrics=["accuracy"])
    classes = tuple("0123456789")
    domains = [LabelledImages(pixels(seed, 28), labels(seed), classes) for seed in (0, 1)]
    return model, domain_batches(*domains, 64)


def cyclegan():
    """Return the model, and its endless batches, of the translation."""
    import keras

    from keras_dtl.backbones import patch_discriminator, resnet_generator
    from keras_dtl.data import endless_arrays
    from keras_dtl.methods import CycleGAN

    networks = [resnet_generator((64, 64, 3), filters=16, blocks=2) for _ in range(2)]
    networks += [patch_discriminator((64, 64, 3), 34, 16, "instance") for _ in range(2)]
    model = CycleGAN(*networks)
    adam = {"learning_rate": 2e-4, "beta_1": 0.5}
    model.compile(
        keras.optimizers.Adam(**adam), discriminator_optimizer=keras.optimizers.Adam(**adam)
    )
    return model, endless_arrays((pixels(0, 64), pixels(1, 64)), 4)


def pixels(seed, side):
    import numpy as np

    return np.random.default_rng(seed).integers(0, 256, (2048, side, side, 3)).astype("uint8")


def labels(seed):
    import numpy as np

    return np.random.default_rng(seed).integers(0, 10, 2048).astype("int32")


def train(name):
    """Train in this process, as TF_CONFIG says, and return what a step and the process take."""
    from keras_dtl.distribution import find_cluster, share_batches, start_strategy

    cluster = find_cluster()
    if cluster is not None:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[cluster.index % len(cores)]})
    strategy = start_strategy(cluster=cluster)
    with strategy.scope():
        model, batches = {"dann": dann, "cyclegan": cyclegan}[name]()
    warm_up, steps = STEPS[name]
    clock, used = StepClock(warm_up), []
    import keras

    note = lambda batch, logs: used.append(time.process_time())  # noqa: E731
    processor = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    model.fit(
        share_batches(batches, strategy),
        steps_per_epoch=warm_up + steps + 1,
        callbacks=[processor, clock.callback],
        verbose=0,
    )
    found = {
        "milliseconds": clock.median(),
        "processor_milliseconds": 1000 * (used[-1] - used[warm_up]) / steps,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found), flush=True)
    if cluster is not None:
        from keras_dtl.distribution import finish

        finish(0, strategy)


def in_two_processes(name):
    """Return what each of two workers found."""
    import socket

    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(WORKERS)]
    addresses = [f"127.0.0.1:{opened.getsockname()[1]}" for opened in sockets]
    for opened in sockets:
        opened.close()
    workers = []
    for index in range(WORKERS):
        task = {"type": "worker", "index": index}
        cluster = json.dumps({"cluster": {"worker": addresses}, "task": task})
        environment = {**os.environ, "TF_CONFIG": cluster, "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, __file__, "--train", name]
        workers.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
    return [json.loads(worker.communicate()[0].splitlines()[-1]) for worker in workers]


def training_round(name):
    """Return one round: one process and two, and their ratios."""
    one = in_a_process(__file__, "--train", name)
    two = in_two_processes(name)
    total = sum(worker["processor_milliseconds"] for worker in two)
    return {
        "one": one,
        "two": two,
        "time_ratio": two[0]["milliseconds"] / one["milliseconds"],
        "processor_ratio": total / one["processor_milliseconds"],
        "memory_ratio": max(w["peak_megabytes"] for w in two) / one["peak_megabytes"],
    }


# A conversion ----------------------------------------------------------------------------------


def conversion_round(folder):
    """Return one round: seconds of each engine for the same images, and Ray's ratios."""
    artifact, images = folder / "artifact", folder / "images"
    if not artifact.exists():
        in_a_process(__file__, "--prepare", folder)
    with ray_cluster() as address:
        engines = {
            "processes": ("--engine", "processes"),
            "ray": ("--engine", "ray"),
            "running_ray": ("--engine", "ray", "--address", address),
        }
        seconds = {
            name: convert(artifact, images, folder / "out", flags)
            for name, flags in engines.items()
        }
    ratios = {
        f"{name}_time_ratio": seconds[name] / seconds["processes"] for name in list(engines)[1:]
    }
    return {**seconds, **ratios}


@contextlib.contextmanager
def ray_cluster():
    """Run a Ray cluster of two cores and give its address."""
    code = (
        f"import ray; ray.init(num_cpus={WORKERS}, include_dashboard=False); "
        "print('at', ray.get_runtime_context().gcs_address, flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as cluster:
        lines = (line.split() for line in cluster.stdout)
        yield next(words[1] for words in lines if words[:1] == ["at"])
        cluster.communicate("\n")


def convert(artifact, images, out, flags):
    """Return the seconds that the command takes, its start and its end included."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "keras_dtl", "convert", artifact, images, out]
    begun = time.perf_counter()
    subprocess.run([*command, *flags], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def prepare(folder):
    """Write small images and the classifier that converts them."""
    import keras

    from keras_dtl.backbones import lenet, mlp
    from keras_dtl.export import export_model
    from keras_dtl.images import write_image
    from keras_dtl.methods import SourceOnly

    keras.utils.set_random_seed(0)
    model = SourceOnly(lenet(), mlp((768,), (100, 100), 10))
    export_model(model, folder / "artifact", classes=tuple("0123456789"))
    pool = pixels(0, 28)
    for index in range(IMAGES):
        write_image(folder / "images" / f"{index:05}.png", pool[index % len(pool)])
    print(json.dumps({}))


# The table -------------------------------------------------------------------------------------


def run(section, folder):
    """Do the rounds of a section that are missing, and write each."""
    while len(rounds := read_result("distribution").get(section, {}).get("rounds", [])) < ROUNDS:
        one = conversion_round(folder) if section == "conversion" else training_round(section)
        rounds = [*rounds, {**one, "load": os.getloadavg()[0]}]
        ratios = [key for key in one if key.endswith("_ratio")]
        medians = {key: statistics.median(r[key] for r in rounds) for key in ratios}
        before = read_result("distribution")
        result = {**before, section: {**medians, "rounds": rounds}}
        write_result("distribution", result, show=(), before=before)
        print(section, medians, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", default=["dann", "cyclegan", "conversion"])
    parser.add_argument("--train", help=argparse.SUPPRESS)
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.train or words.prepare:
        train(words.train) if words.train else prepare(words.prepare)
        return
    with tempfile.TemporaryDirectory() as folder:
        for section in words.sections:
            run(section, Path(folder))


if __name__ == "__main__":
    main()
