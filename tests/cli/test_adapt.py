"""A trained run is adapted to a folder, without the images it learnt from."""

import json

import pytest

from keras_dtl.cli.__main__ import main
from tests.cli.test_train import write_domain


def test_folder_without_a_run_is_an_error_in_words(tmp_path, capsys):
    assert main(["adapt", str(tmp_path), "--target", "digits"]) == 2
    assert "holds no finished run" in capsys.readouterr().err


@pytest.mark.slow
def test_run_adapts_to_images_with_and_without_labels(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_domain(tmp_path / "source", 0, 0)
    write_domain(tmp_path / "target", 1, 60)
    few = ["--epochs", "2", "--batch-size", "16", "--min-steps", "5"]
    source = ["--source", f"folder:{tmp_path}/source", "--target", f"folder:{tmp_path}/target"]
    assert main(["train", "source-only", *source, *few]) == 0
    before = (tmp_path / "runs/source-only/model.keras").read_bytes()
    assert main(["adapt", "runs/source-only", *source[2:], *few]) == 0
    scores = json.loads((tmp_path / "runs/shot/scores.json").read_text())
    assert set(scores) == {"answers", "before", "target"}
    assert scores["answers"]["words"] in capsys.readouterr().out
    assert (tmp_path / "exported/shot/manifest.json").exists()
    assert (tmp_path / "runs/source-only/model.keras").read_bytes() == before
    flat = ["--target", f"folder:{tmp_path}/target/left", "--output", "runs/flat"]
    assert main(["adapt", "runs/source-only", *flat, *few]) == 0
    assert set(json.loads((tmp_path / "runs/flat/scores.json").read_text())) == {"answers"}
    capsys.readouterr()
    assert main(["evaluate", "runs/flat"]) == 0
    assert f"{flat[1]} has no labels: nothing is scored on the target." in capsys.readouterr().out
