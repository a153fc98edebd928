"""What `--device auto` takes: the fastest inside the stated quality, and nothing else."""

import dataclasses
import shutil

import numpy as np
import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.convert import Options, trial
from keras_dtl.convert.runtimes.openvino_session import OpenVINOSession
from keras_dtl.convert.trial import Candidate, candidates_of, choose, compare
from keras_dtl.images import write_image
from keras_dtl.manifest import read_manifest, write_manifest

FLOAT, OPENVINO = Candidate("cpu", "float32"), Candidate("openvino", "float32")
BFLOAT = Candidate("openvino", "bfloat16")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_DTL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def many(tmp_path, monkeypatch):
    """Eight images of two sizes, and one that is none."""
    monkeypatch.setattr(trial, "FEWEST", 8)
    random = np.random.default_rng(0)
    for index in range(8):
        shape = (16 + 4 * (index % 2), 16, 3)
        write_image(tmp_path / "in" / f"{index}.png", random.integers(0, 256, shape, "uint8"))
    (tmp_path / "in" / "broken.png").write_bytes(b"no image")
    return tmp_path / "in"


@pytest.fixture
def clock(monkeypatch):
    """Set how long each candidate takes."""

    def set_seconds(seconds):
        monkeypatch.setattr(
            trial._Trial, "_seconds", lambda self, models: {each: seconds[each] for each in models}
        )

    monkeypatch.setattr(trial.openvino_session, "computes", lambda precision: True)
    return set_seconds


def spoil(monkeypatch, levels):
    """Let OpenVINO be off by some levels."""
    run = OpenVINOSession.run
    monkeypatch.setattr(
        OpenVINOSession,
        "run",
        lambda *rest: [
            np.where(array > 127, array - levels, array + levels) for array in run(*rest)
        ],
    )


def test_the_fastest_is_taken_and_said(negative, many, clock):
    clock({FLOAT: 2.0, OPENVINO: 1.0})
    choice = choose(negative.path, many, Options())
    assert (choice.device, choice.precision) == ("openvino", "float32")
    assert "88.1 dB PSNR, at most 0/255 off float32" in choice.words
    assert "on 8 images" in choice.words
    assert "openvino in float32 2.00 times as fast" in choice.words


def test_what_saves_hardly_anything_is_not_taken(negative, many, clock):
    clock({FLOAT: 1.0, OPENVINO: 0.97})
    assert choose(negative.path, many, Options())[:2] == FLOAT


@pytest.mark.parametrize(("levels", "taken"), [(1, OPENVINO), (2, FLOAT)])
def test_nothing_further_off_than_a_level_is_taken(
    negative, many, clock, monkeypatch, levels, taken
):
    clock({FLOAT: 2.0, OPENVINO: 1.0})
    spoil(monkeypatch, np.uint8(levels))
    choice = choose(negative.path, many, Options())
    assert choice[:2] == taken
    assert ("is left out" in choice.words) == (taken == FLOAT)


def test_a_quality_that_is_asked_for_opens_what_reaches_it(negative, many, clock, monkeypatch):
    clock({FLOAT: 3.0, OPENVINO: 2.0, BFLOAT: 1.0})
    spoil(monkeypatch, np.uint8(2))  # 42 dB
    monkeypatch.setattr(trial, "load_artifact", _without_precisions(trial.load_artifact))
    assert choose(negative.path, many, Options(), least_quality=40.0)[:2] == BFLOAT
    assert choose(negative.path, many, Options(), least_quality=45.0)[:2] == FLOAT


def _without_precisions(load):
    """Let OpenVINO compute in float32 whatever it is asked for: any processor can."""
    return lambda path, device, precision, **rest: load(path, device, precision="float32", **rest)


def test_what_the_export_measured_below_the_quality_is_not_tried(negative, tmp_path, monkeypatch):
    monkeypatch.setattr(trial.openvino_session, "computes", lambda precision: True)
    manifest = read_manifest(negative.path)
    record = {"file": manifest.onnx_file, "quality": {"psnr": 38.0}}
    measured = dataclasses.replace(manifest, runtimes={"openvino": {"bfloat16": record}})
    assert candidates_of(measured) == [FLOAT, OPENVINO]
    assert candidates_of(measured, least_quality=38.0) == [FLOAT, OPENVINO, BFLOAT]
    assert candidates_of(measured, least_quality=40.0) == [FLOAT, OPENVINO]
    assert candidates_of(measured, "bfloat16", least_quality=38.0) == [FLOAT, BFLOAT]


def test_without_openvino_there_is_nothing_to_choose(negative, many, monkeypatch):
    monkeypatch.setattr(trial.openvino_session, "computes", lambda precision: False)
    assert choose(negative.path, many, Options()) is None


def test_one_file_and_few_files_need_no_trial(negative, many):
    assert choose(negative.path, many / "0.png", Options()) is None
    for index in range(2):
        (many / f"{index}.png").unlink()
    assert choose(negative.path, many, Options()) is None


def test_a_choice_is_remembered_for_the_artifact(negative, many, clock, cache, tmp_path):
    clock({FLOAT: 2.0, OPENVINO: 1.0})
    first = choose(negative.path, many, Options())
    clock({FLOAT: 1.0, OPENVINO: 2.0})
    assert choose(negative.path, many, Options()) == first
    other = shutil.copytree(negative.path, tmp_path / "other")
    manifest = read_manifest(other)
    files = manifest.files | {"note.txt": "0" * 64}
    write_manifest(other, dataclasses.replace(manifest, files=files))
    assert choose(other, many, Options())[:2] == FLOAT


def test_a_runtime_that_fails_is_left_out(negative, many, clock, monkeypatch):
    clock({FLOAT: 2.0, OPENVINO: 1.0})

    def fail(*rest):
        raise RuntimeError("no memory")

    monkeypatch.setattr(OpenVINOSession, "run", fail)
    choice = choose(negative.path, many, Options())
    assert choice[:2] == FLOAT
    assert "openvino in float32 failed: The model could not be run: no memory" in choice.words


def test_figures_are_those_of_the_task(negative, classifier):
    images = [np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 100, np.uint8)]
    off = [images[0] + np.uint8(1), images[1]]
    found = compare(negative.manifest, images, off)
    assert found == pytest.approx(
        {"difference": 1 / 255, "psnr": (48.1308 + 88.1308) / 2}, abs=1e-3
    )
    numbers = [np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.8, 0.1])]
    other = [np.array([0.3, 0.5, 0.2]), numbers[1]]
    found = compare(classifier.manifest, numbers, other)
    assert found == pytest.approx({"difference": 0.2, "agreement": 0.5})
    segmenter = dataclasses.replace(negative.manifest, task="segmentation")
    maps = [np.array([[0, 1], [1, 1]], np.uint8)], [np.array([[0, 0], [1, 1]], np.uint8)]
    found = compare(segmenter, *maps)
    assert found == pytest.approx({"difference": 0.25, "mean_iou": (1 / 2 + 2 / 3) / 2})


def test_the_command_says_what_auto_took(negative, many, clock, tmp_path, capsys):
    clock({FLOAT: 2.0, OPENVINO: 1.0})
    (many / "broken.png").unlink()
    words = ["convert", str(negative.path), str(many), str(tmp_path / "out")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith("device auto takes openvino in float32, 88.1 dB")
    assert "image_to_image in float32 on openvino (OpenVINO)" in said


def test_a_least_quality_needs_the_device_auto(negative, many, tmp_path, capsys):
    words = ["convert", str(negative.path), str(many), str(tmp_path / "out")]
    assert main([*words, "--device", "cpu", "--least-quality", "40"]) == 2
    assert "--least-quality is for --device auto" in capsys.readouterr().err
