"""The artifact that comes with the package."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from keras_dtl import load_artifact
from keras_dtl.addresses import find_artifact
from keras_dtl.cli.__main__ import main
from keras_dtl.images import read_image
from keras_dtl.manifest import read_manifest, verify_file

NAME = "starry-night"
PICTURE = Path(__file__).parents[2] / "scripts/benchmarks/results/pictures/pix2pix.png"


@pytest.fixture(scope="module")
def folder():
    return find_artifact(NAME)


def test_it_is_small_and_whole(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 5_000_000
    manifest = read_manifest(folder)
    for name in manifest.files:
        verify_file(folder, manifest, name)
    assert {record["file"] for record in manifest.parity} == {manifest.onnx_file}
    assert all(record["difference"] <= record["tolerance"] for record in manifest.parity)


def test_its_card_names_what_it_was_made_of_and_the_licences(folder, benchmark):
    script, card = benchmark("starry_night"), (folder / "README.md").read_text(encoding="utf-8")
    for photo in (*script.TRAINED_ON, *script.HELD_OUT):
        row = f"| `{photo.name}` | {photo.package} | {photo.author} | {photo.licence} |"
        assert row in card
        assert photo.licence in ("CC0", "public domain", "CC BY 2.0")
    assert script.STYLE in card and script.WEIGHTS in card and "Apache License 2.0" in card
    assert (folder / script.PICTURE).is_file() and f"]({script.PICTURE})" in card
    for words in (card, (folder / "manifest.json").read_text(encoding="utf-8")):
        assert "/home/" not in words and "/work" not in words and "/tmp" not in words


def test_it_paints_images_of_any_size():
    artifact = load_artifact(NAME, "cpu")
    gradient = np.linspace(0, 255, 45).astype("uint8")
    image = np.broadcast_to(gradient[None, :, None], (1, 30, 45, 3)).copy()
    painted = artifact(image)
    assert painted.shape == image.shape
    difference = np.abs(painted.astype("float32") - image).mean()
    assert 5 < difference < 100  # neither the photo itself nor noise


def test_light_stays_light_in_a_photo_that_it_never_saw(benchmark):
    script = benchmark("starry_night")
    photo = script.read_photo(script.HELD_OUT[0])[None, ::2, ::2].copy()
    painted = load_artifact(NAME, "cpu")(photo)
    columns, expected = painted.mean((0, 3)).ravel(), photo.mean((0, 3)).ravel()
    assert np.corrcoef(columns, expected)[0, 1] > 0.7


def test_the_command_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    shutil.copy(PICTURE, tmp_path / "photos" / "a.png")
    assert main(["convert", NAME, "photos/", "out/"]) == 0
    assert "1 converted" in capsys.readouterr().out
    assert read_image(tmp_path / "out" / "a.png").shape == read_image(PICTURE).shape
