import json

import numpy as np
import pytest

from keras_dtl.data import LabelledImages
from keras_dtl.images import write_image
from keras_dtl.scripts.__main__ import main
from keras_dtl.scripts.recipes import RECIPES
from keras_dtl.scripts.recipes.separation_measures import grid_picture, partners


def test_partners_are_others_of_the_class():
    labels = np.array([0, 1, 0, 2, 1, 0, 2])
    partner = partners(labels, np.random.default_rng(0))
    assert sorted(partner) == list(range(7)) and (partner != np.arange(7)).all()
    np.testing.assert_array_equal(labels[partner], labels)


def test_grid_has_the_real_images_on_its_margins():
    drawn = np.zeros((2, 3, 4, 4, 1), "uint8")
    rows, columns = (np.full((n, 4, 4, 1), value, "uint8") for n, value in ((2, 10), (3, 20)))
    picture = grid_picture(drawn, rows, columns)
    assert picture.shape == (12, 16, 3)
    assert (picture[:4, 4:] == 20).all() and (picture[4:, :4] == 10).all()
    assert (picture[4:, 4:] == 0).all() and (picture[:4, :4] == 255).all()


def folder(path, classes=4, count=12, side=16):
    """Write bars: their place tells the class, their brightness is the style."""
    random = np.random.default_rng(0)
    for label in range(classes):
        for index in range(count):
            image = np.zeros((side, side, 1), "uint8")
            image[:, 4 * label : 4 * label + 3] = random.integers(100, 256)
            write_image(path / str(label) / f"{index}.png", image)
    return f"folder:{path}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "flags"),
    [("swap-vae", []), ("gmv", [])],
)
def test_recipe_goes_from_a_folder_to_an_artifact_and_is_scored_again(name, flags, tmp_path):
    words = [name, "--source", folder(tmp_path / "in"), "--image-size", "16", "--epochs", "1"]
    words += ["--filters", "2", "--content", "3", "--style", "2", "--batch-size", "8", *flags]
    run, artifact = tmp_path / "run", tmp_path / "artifact"
    assert main(["train", *words, "--output", str(run), "--artifact", str(artifact)]) == 0
    scores = json.loads((run / "scores.json").read_text())
    assert scores["judge"]["share"] > 0.9
    assert ("identity_of_held_out" in scores) == (name == "cgmv")
    assert "<svg" in (run / "report.html").read_text() and (artifact / "1/model.onnx").exists()
    (run / "scores.json").unlink()
    assert main(["evaluate", str(run)]) == 0
    again = json.loads((run / "scores.json").read_text())
    assert set(again) == set(scores)


def test_a_class_of_one_image_is_said(tmp_path):
    recipe = RECIPES["gmv"](image_size=16)
    lone = LabelledImages(np.zeros((3, 16, 16, 1), "uint8"), np.array([0, 0, 1]), ("a", "b"))
    with pytest.raises(ValueError, match="only one of: b"):
        recipe.batches(type("Data", (), {"train": lone}), 0)
