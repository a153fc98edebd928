"""The study of layer transfer: cell by cell, and the same after a kill."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_dtl.cli.study import Study
from keras_dtl.images import write_image
from keras_dtl.recipes.layer_transfer import LayerTransfer
from tests.networks import encoder

CLASSES = ("north", "east", "south", "west")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Four classes told apart by which side is light, and a network of two layers."""
    folder = tmp_path_factory.mktemp("study")
    random = np.random.default_rng(0)
    for turns, name in enumerate(CLASSES):
        for index in range(20):
            image = random.integers(0, 60, (8, 8, 3))
            image[:4] += 120
            image = np.rot90(image, turns).astype("uint8")
            write_image(folder / "images" / name / f"{index}.png", np.ascontiguousarray(image))
    encoder().save(folder / "network.keras")
    return Study(
        study="layer-transfer",
        source=f"folder:{folder / 'images'}",
        network=str(folder / "network.keras"),
        seeds=1,
        shots=6,
        epochs=1,
        min_steps=10,
        batch_size=8,
        output=folder / "study",
    )


def flags(settings, output):
    words = ["study", settings.study, "--output", str(output), "--layers", "2"]
    for name in ("source", "network", "seeds", "shots", "epochs", "min_steps", "batch_size"):
        words += [f"--{name.replace('_', '-')}", str(getattr(settings, name))]
    return [sys.executable, "-m", "keras_dtl.cli", *words]


def test_stopped_study_goes_on_and_ends_with_figure_and_report(settings):
    first = LayerTransfer(dataclasses.replace(settings, minutes=1e-9, layers=(2,)))
    first.run()
    assert not first.path.exists()
    study = LayerTransfer(dataclasses.replace(settings, layers=(2,)))
    assert [cell[2:] for cell in study.plan()] == [
        ("baseA", 0),
        ("baseB", 0),
        ("BnB", 2),
        ("BnB+", 2),
        ("AnB", 2),
        ("AnB+", 2),
        ("random", 2),
    ]
    for cell in study.plan()[:3]:
        study.cells["/".join(["split0", "seed0", cell[2], str(cell[3])])] = study.train_cell(*cell)
    assert all(0 <= accuracy <= 1 for accuracy in study.cells.values())
    assert study.runs()[0]["BnB"].keys() == {2}
    study.publish()
    assert {"figure.png", "report.html"} <= {path.name for path in study.path.parent.iterdir()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": (3,)}, "0 to 2"),
        ({"first_half": ("north", "up")}, "no class up"),
        ({"first_half": ("north",)}, "at least 2"),
        ({"network": "absent.keras"}, "absent.keras"),
        ({"source": "folder:absent"}, "absent"),
    ],
)
def test_unusable_studies_are_refused(changes, message, settings, tmp_path):
    with pytest.raises((ValueError, OSError), match=message):
        LayerTransfer(dataclasses.replace(settings, output=tmp_path, **changes))


def test_other_settings_do_not_go_on(settings, tmp_path):
    study = LayerTransfer(dataclasses.replace(settings, output=tmp_path))
    study.path.write_text(json.dumps(study.content()))
    LayerTransfer(dataclasses.replace(settings, output=tmp_path, seeds=5, minutes=3.0))
    with pytest.raises(ValueError, match="shots: 6, now 5"):
        LayerTransfer(dataclasses.replace(settings, output=tmp_path, shots=5))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_study_killed_twice_ends_with_the_same_file(settings, tmp_path):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    path = tmp_path / "killed" / "study.json"
    for _ in range(2):
        before = path.read_bytes() if path.exists() else b""
        process = subprocess.Popen(flags(settings, path.parent), env=environment)
        while not path.exists() or path.read_bytes() == before:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert 0 < len(json.loads(path.read_text())["cells"]) < 7
    for folder in (path.parent, tmp_path / "whole"):
        subprocess.run(flags(settings, folder), env=environment, check=True)
    assert len(json.loads(path.read_text())["cells"]) == 7
    assert path.read_bytes() == (tmp_path / "whole" / "study.json").read_bytes()
