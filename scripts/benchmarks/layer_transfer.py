"""How transferable each layer is (Yosinski et al. 2014), on MNIST.

    TFDS_DATA_DIR=... python scripts/benchmarks/layer_transfer.py --minutes 12

The study `keras-dtl study layer-transfer` with a net of 7 convolutions: the ten digits are divided
at random in two tasks of five, 100 images of each digit are learnt. 148 trainings for each seed,
of about 7 seconds on one CPU core. Resumable training by training. Writes
results/layer_transfer.json and layer_transfer.png.
"""

import argparse
from pathlib import Path

from record import RESULTS, read_result, summary, write_result

from keras_dtl.files import atomic_path

SETTINGS = {"source": "mnist", "shots": 100, "min_steps": 400}


def result_of(study):
    """Return means and deviations over splits and seeds, in percent, and the paper's effects."""
    runs = study.runs()
    found = {"base": {"0": [run["base"] for run in runs]}}
    for run in runs:
        for kind in set(run) - {"base"}:
            for layer, accuracy in run[kind].items():
                found.setdefault(kind, {}).setdefault(str(layer), []).append(accuracy)
    return {
        "what": "accuracy on task B in percent, by the layer up to which the network was copied",
        "settings": SETTINGS,
        "splits": study.settings.splits,
        "accuracy": {
            kind: {layer: cell_of(values) for layer, values in layers.items()}
            for kind, layers in sorted(found.items())
        },
        "effects": study.effects(),
        "halves": study.content()["halves"],
        "cells": study.content()["cells"],
    }


def cell_of(accuracies):
    """Return mean and deviation in percent of accuracies, and how many they are."""
    return {**summary(100 * accuracy for accuracy in accuracies), "runs": len(accuracies)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, default=4, help="how many random halves")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds of each")
    parser.add_argument("--minutes", type=float, help="begin no training after so many minutes")
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks/layer-transfer"))
    arguments = parser.parse_args()
    from keras_dtl.cli.session import start_session
    from keras_dtl.cli.study import Study
    from keras_dtl.evaluation import figures
    from keras_dtl.recipes.layer_transfer import LayerTransfer

    print(start_session())
    study = LayerTransfer(
        Study(
            "layer-transfer",
            splits=arguments.splits,
            seeds=arguments.seeds,
            minutes=arguments.minutes,
            output=arguments.folder,
            **SETTINGS,
        )
    )
    study.run()
    before = read_result("layer_transfer", settings=SETTINGS)
    write_result("layer_transfer", result_of(study), ("accuracy", "effects"), before)
    with atomic_path(RESULTS / "layer_transfer.png") as temporary:
        figures.transfer_curves(study.runs()).savefig(temporary, dpi=120)


if __name__ == "__main__":
    main()
