"""From folders of images to a generator that converts images of any size, on the command line."""

import json

import numpy as np
import pytest

from keras_dtl.callbacks.checkpoint import FILE_NAME
from keras_dtl.images import read_image, write_image
from tests.cli.test_train import run_verb

SMALL = ("--image-size", "16", "--filters", "2", "--receptive-field", "16")
SMALL += ("--batch-size", "4", "--epochs", "2", "--measure-every", "1", "--keep", "last")


def write_images(folder, seed, shape=(16, 16, 3), count=20):
    random = np.random.default_rng(seed)
    for index in range(count):
        write_image(folder / f"{index:02}.png", random.integers(0, 256, shape).astype("uint8"))


def words_for(method, folder):
    if method == "pix2pix":
        write_images(folder / "pairs", 0, (16, 32, 3))
        return "pix2pix", "--source", f"paired:{folder / 'pairs'}"
    write_images(folder / "a", 0)
    write_images(folder / "b", 1, count=30)
    domains = f"folder:{folder / 'a'}", f"folder:{folder / 'b'}"
    return "cyclegan", "--source", domains[0], "--target", domains[1], "--blocks", "1"


@pytest.mark.slow
@pytest.mark.parametrize("method", ["pix2pix", "cyclegan"])
def test_training_leaves_pictures_a_report_and_a_generator_for_every_size(method, tmp_path):
    run, artifact = tmp_path / "run", tmp_path / "artifact"
    words = ("train", *words_for(method, tmp_path), *SMALL)
    answer = run_verb(*words, "--output", run, "--artifact", artifact)
    assert answer.returncode == 0, answer.stderr
    assert not (run / FILE_NAME).exists()
    pictures = sorted(path.name for path in (run / "images").iterdir())
    assert pictures == ["epoch-00001.png", "epoch-00002.png"]
    assert len(list((run / "tensorboard").iterdir())) == 1
    assert "data:image/png" in (run / "report.html").read_text(encoding="utf-8")
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))
    assert all(np.isfinite(history["kid"]))
    for index, shape in enumerate([(16, 16, 3), (1, 1, 3), (5, 3, 3), (37, 50, 1)]):
        write_image(tmp_path / "photos" / f"{index}.png", np.full(shape, 90, "uint8"))
    answer = run_verb("convert", artifact, tmp_path / "photos", tmp_path / "out")
    assert answer.returncode == 0, answer.stderr
    sizes = [read_image(path).shape[:2] for path in sorted((tmp_path / "out").glob("*.png"))]
    assert sizes == [(16, 16), (1, 1), (5, 3), (37, 50)]
