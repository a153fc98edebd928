import contextlib
import json

import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.cli.__main__ import main
from keras_dtl.data import LabelledImages, load
from keras_dtl.images import write_image
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes import separation as separation_recipes
from keras_dtl.recipes.separation import SeparationData, without_some_classes


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
    [
        ("swap-vae", []),
        ("gmv", []),
        ("cgmv", ["--held-out", "0.25"]),
    ],
)
def test_recipe_goes_from_a_folder_to_an_artifact_and_is_scored_again(
    name, flags, tmp_path, monkeypatch, capsys
):
    words = [name, "--source", folder(tmp_path / "in"), "--image-size", "16", "--epochs", "1"]
    words += ["--filters", "2", "--content", "3", "--style", "2", "--batch-size", "8", *flags]
    run, artifact = tmp_path / "run", tmp_path / "artifact"
    assert main(["train", *words, "--output", str(run), "--artifact", str(artifact)]) == 0
    image = next((tmp_path / "in").rglob("*.png"))
    step = capsys.readouterr().out.partition("Next: keras-dtl ")[2].replace("IMAGE", str(image))
    with pytest.raises(SystemExit, match="0") if "--help" in step else contextlib.nullcontext():
        assert main(step.split()) == 0
    scores = json.loads((run / "scores.json").read_text())
    assert scores["judge"]["share"] > 0.9
    assert ("identity_of_held_out" in scores) == (name == "cgmv")
    assert "<svg" in (run / "report.html").read_text() and (artifact / "1/model.onnx").exists()
    monkeypatch.setattr(
        separation_recipes, "fit_lenet_judge", lambda _: pytest.fail("fitted again")
    )
    assert main(["evaluate", str(run), "--output", str(tmp_path / "again")]) == 0
    assert json.loads((tmp_path / "again/scores.json").read_text()) == scores


def test_what_is_no_share_is_not_printed_in_percent():
    """An R² may be below 0, which read as "code kept -136 %"."""
    share = {"share": 0.25}
    scores = {
        "class_from": {"s": {"mlp": 0.5}, "z_sample": {"mlp": 0.5}},
        **{"swap_accuracy": share, "prior_accuracy": share, "diversity": {"features": 0.5}},
        "style_kept": {"code": -1.36, "slant": -0.2},
    }
    printed = RECIPES["swap-vae"]().printed_headline(scores)
    assert printed["code kept"] == "-1.36 (R²)" and printed["slant kept"] == "-0.20 (correlation)"
    assert printed["swap accuracy"] == "25.0%"


def data_of(classes=5, count=4):
    """Return images that are their own number."""
    images = np.arange(classes * count, dtype="uint8").reshape(-1, 1, 1, 1)
    labels = np.repeat(np.arange(classes), count)
    examples = LabelledImages(images, labels, tuple("abcdefgh"[:classes]))
    return SeparationData(examples.subset(np.arange(0, len(labels), 2)), examples)


def test_classes_held_out_are_in_neither_other_part():
    whole = data_of()
    data = without_some_classes(whole, 0.4, seed=1)
    held = set(data.held_out.labels)
    assert len(held) == 2 and not held & (set(data.train.labels) | set(data.test.labels))
    assert len(data.held_out) == 2 * (2 + 4) and len(data.test) == 3 * 4
    assert data.train.classes == data.held_out.classes == whole.train.classes
    # The judge must know them, too, but not all that it judges.
    judged = RECIPES["cgmv"]().judge_examples(data)
    assert set(judged.labels) == set(range(5)) and len(judged) == len(data.train) + 6
    assert RECIPES["cgmv"]().judge_examples(whole) is whole.train


def test_classifier_of_styles_does_not_feel_their_scale():
    classifier = RECIPES["swap-vae"](style=3).latent_classifier(5)
    styles = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    found = [classifier(scale * styles, training=True) for scale in (1.0, 10.0)]
    np.testing.assert_allclose(*found, atol=1e-2)
    assert found[0].shape == (64, 5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"style": 0}, "style code must hold at least one number"),
        ({"content": 0}, "content code must hold at least one number"),
        ({"image_size": 31}, "--image-size"),
    ],
)
@pytest.mark.parametrize("name", ["swap-vae", "gmv", "cgmv"])
def test_empty_codes_and_sizes_that_do_not_halve_are_said(name, fields, message):
    recipe = RECIPES[name](**{"image_size": 16, **fields})
    with pytest.raises(ValueError, match=message):
        recipe.method(data_of())


def test_classifiers_see_images_shifted_less_and_less():
    recipe = RECIPES["gmv"](
        image_size=16, classifier_filters=2, classifiers=3, classifier_shift=0.25
    )
    classifiers = recipe.classifier(4)
    image = tf.random.uniform((1, 16, 16, 1), -1, 1)
    answers = np.stack([classifiers(image, training=True) for _ in range(20)])  # tries, networks
    assert answers.shape == (20, 3, 1, 4)
    spread = np.ptp(answers, 0).mean((1, 2))
    assert spread[0] > 1e-3 and spread[1] > 1e-3 and spread[2] < 1e-6
    still = np.stack([classifiers(image, training=False) for _ in range(3)])
    assert np.ptp(still, 0).max() < 1e-6
    with pytest.raises(ValueError, match="--agreement-weight 0"):
        RECIPES["gmv"](image_size=16, classifiers=0).classifier(4)


def test_images_of_mixed_sizes_are_brought_to_one_or_refused(tmp_path):
    for index, side in enumerate((16, 20, 16, 24) * 4):
        path = tmp_path / str(index % 2) / f"{index}.png"
        write_image(path, np.full((side, side, 1), 9, "uint8"))
    data = RECIPES["cgmv"](source=f"folder:{tmp_path}", image_size=16, held_out=0).load_data()
    assert data.train.image_shape == (16, 16, 1) and data.held_out is None
    with pytest.raises(ValueError, match="sizes"):
        load(f"folder:{tmp_path}")


def test_a_class_of_one_image_is_said(tmp_path):
    recipe = RECIPES["gmv"](image_size=16)
    lone = LabelledImages(np.zeros((3, 16, 16, 1), "uint8"), np.array([0, 0, 1]), ("a", "b"))
    with pytest.raises(ValueError, match="only one of: b"):
        recipe.batches(type("Data", (), {"train": lone}), 0)
