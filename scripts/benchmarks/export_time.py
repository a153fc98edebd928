"""What an export and a 256-pixel image cost beside another checkout of this package.

    python scripts/benchmarks/export_time.py --before CHECKOUT

Processor seconds, so that other work on the machine counts little: of exporting a DANN on a LeNet
for the first and for the second time in a process, and of one image through an instance-normalised
generator in onnxruntime on one thread, by turns. Both packages are compiled before, as pip does.
Written into results/export_time.json.
"""

import argparse
import compileall
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS, TURNS, SIZE = 3, 24, 256


def export_seconds():
    """Return processor seconds of two exports in this process."""
    import keras

    import keras_dtl
    from keras_dtl.backbones import lenet, mlp

    encoder = lenet((28, 28, 3))
    heads = [mlp(encoder.output_shape[1:], (64,), outputs) for outputs in (10, 1)]
    model = keras_dtl.DANN(encoder, *heads)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            gc.collect()  # Python's next full collection would fall into one export by chance
            start = time.process_time()
            keras_dtl.export_model(model, f"{folder}/lenet", classes=list("0123456789"))
            seconds.append(time.process_time() - start)
    return dict(zip(("first", "second"), seconds, strict=True))


def export_generator(folder):
    """Write the artifact of a generator; nothing is learnt."""
    import keras

    import keras_dtl
    from keras_dtl.backbones import patch_discriminator, resnet_generator

    keras.utils.set_random_seed(0)
    shape = (SIZE, SIZE, 3)
    generators = [resnet_generator(shape, filters=32, blocks=2) for _ in range(2)]
    judges = [patch_discriminator(filters=8, normalization="instance") for _ in range(2)]
    keras_dtl.export_model(keras_dtl.CycleGAN(*generators, *judges), folder)
    return folder


def image_seconds(folders):
    """Return the median processor seconds of one image, by name of the artifact."""
    import numpy as np
    import onnxruntime
    from sklearn.datasets import load_sample_image

    image = np.ascontiguousarray(load_sample_image("china.jpg")[None, :SIZE, :SIZE])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    sessions = {
        name: onnxruntime.InferenceSession(
            str(Path(folder) / "1" / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        for name, folder in folders.items()
    }
    seconds = {name: [] for name in sessions}
    for turn in range(TURNS):
        for name in list(sessions)[:: 1 if turn % 2 else -1]:
            start = time.process_time()
            sessions[name].run(None, {"image": image})
            seconds[name].append(time.process_time() - start)
    return {name: statistics.median(values[2:]) for name, values in seconds.items()}


def apart(checkout, *words):
    """Return what this script prints as its last line with the package of a checkout."""
    paths = {"PYTHONPATH": str(checkout), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, *words]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | paths
    )
    return json.loads(answer.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="the other checkout")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--part", choices=("export", "generator"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        found = export_seconds() if arguments.part == "export" else arguments.folder
        if arguments.part == "generator":
            export_generator(arguments.folder)
        print(json.dumps(found))
        return
    from record import ROOT, write_result  # of this checkout, which the other may lack

    checkouts = {"now": ROOT, "before": arguments.before}
    for checkout in checkouts.values():
        compileall.compile_dir(checkout / "keras_dtl", quiet=1)
    runs = {name: [] for name in checkouts}
    for _ in range(arguments.rounds):
        for name, checkout in checkouts.items():
            runs[name].append(apart(checkout, "--part", "export"))
    with tempfile.TemporaryDirectory() as folder:
        places = {name: f"{folder}/{name}" for name in checkouts}
        for name, checkout in checkouts.items():
            apart(checkout, "--part", "generator", "--folder", places[name])
        image = image_seconds(places)
    least = {
        name: {key: min(run[key] for run in found) for key in ("first", "second")}
        for name, found in runs.items()
    }
    ratios = {key: least["now"][key] / least["before"][key] for key in ("first", "second")}
    ratios["image"] = image["now"] / image["before"]
    write_result("export_time", {"exports": runs, "least": least, "image": image, "ratios": ratios})


if __name__ == "__main__":
    main()
