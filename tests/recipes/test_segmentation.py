"""The recipe of segmentation: two folders, one held-out part, every method."""

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from keras_dtl.data.segmentation import SegmentedImages
from keras_dtl.images import write_image
from keras_dtl.recipes.scenes import refuse_learnt
from keras_dtl.recipes.segmentation import SegmentationRecipe
from tests.data.test_segmentation import CLASSES, write_mask


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Roads below the sky, four images of each domain."""
    folder = tmp_path_factory.mktemp("segmentation")
    for domain, light in (("day", 200), ("dusk", 120)):
        root = folder / domain
        for index in range(4):
            mask = np.zeros((9, 10), "uint8")
            mask[3 + index :] = 1
            image = np.where(mask[..., None] == 1, light // 3, light) * np.ones(3)
            write_image(root / f"images/{index}.png", image.astype("uint8"))
            write_mask(root / f"masks/{index}.png", mask)
        (root / "classes.csv").write_text(CLASSES)
    return SegmentationRecipe(
        source=f"folder:{folder / 'day'}",
        target=f"folder:{folder / 'dusk'}",
        backbone="unet",
        filters=2,
        batch_size=2,
        learning_rate=0.01,
        output=folder / "run",
    )


def test_last_target_images_are_held_out_and_their_masks_never_learnt(recipe):
    data = recipe.load_data()
    assert (len(data.source_train), len(data.target_train), len(data.target_test)) == (4, 2, 2)
    batch = next(iter(recipe.batches(data, 0)))
    assert batch["target"].shape == (2, 9, 10, 3)
    bound = dataclasses.replace(recipe, labels_from="target", method="source-only").load_data()
    np.testing.assert_array_equal(bound.source_train.images, data.target_train.images)


def test_images_of_two_sizes_are_refused(recipe, tmp_path):
    """Larger ones were cropped to those of the source without a word."""
    for index in range(2):
        write_image(tmp_path / f"images/{index}.png", np.zeros((12, 14, 3), "uint8"))
        write_mask(tmp_path / f"masks/{index}.png", np.zeros((12, 14), "uint8"))
    (tmp_path / "classes.csv").write_text(CLASSES)
    other = dataclasses.replace(recipe, target=f"folder:{tmp_path}")
    with pytest.raises(ValueError, match=r"source have 9x10 .* target 12x14\. .*--image-size"):
        other.load_data()
    assert dataclasses.replace(other, image_size=(8, 8)).load_data()


def test_split_of_the_target_is_scored_on(recipe, tmp_path):
    dusk = Path(recipe.target.removeprefix("folder:"))
    shutil.copytree(dusk / "images", tmp_path / "train" / "images")
    shutil.copytree(dusk / "masks", tmp_path / "train" / "masks")
    shutil.copytree(tmp_path / "train", tmp_path / "test")
    shutil.copy(dusk / "classes.csv", tmp_path)
    for folder in ("images", "masks"):
        (tmp_path / "test" / folder / "0.png").unlink()
    split = dataclasses.replace(recipe, target=f"folder:{tmp_path}")
    data = split.load_data()
    assert (len(data.target_train), len(data.target_test)) == (4, 3)
    assert split.data_lines()[-1].endswith("the target: its split test is for scoring alone")
    data = dataclasses.replace(split, holdout=0.25).load_data()
    assert (len(data.target_train), len(data.target_test)) == (3, 1)
    assert "a share of 0.5 (--holdout)" in recipe.data_lines()[-1]


def test_table_may_tell_what_is_for_testing(recipe, tmp_path):
    dusk = Path(recipe.target.removeprefix("folder:"))
    shutil.copytree(dusk, tmp_path / "dusk")
    rows = [f"images/{i}.png,masks/{i}.png,{'test' if i else 'train'},{i % 2}" for i in range(4)]
    (tmp_path / "dusk" / "frames.csv").write_text("\n".join(["image,label,split,sequence", *rows]))
    table = dataclasses.replace(recipe, target=f"folder:{tmp_path / 'dusk'}")
    data = table.load_data()
    assert (len(data.target_train), len(data.target_test)) == (1, 3)


def test_an_artifact_sees_photos_at_the_size_that_was_learnt(recipe):
    """At their own size things in them would be larger than any that was learnt."""
    data = recipe.load_data()
    assert "image_size" not in recipe.export_arguments(data) and recipe.client_size is None
    small = dataclasses.replace(recipe, image_size=(4, 6))
    data = small.load_data()
    assert data.source_train.image_shape == (4, 6, 3)
    assert small.export_arguments(data)["image_size"] == small.client_size == (4, 6)
    assert small.settings_with(data)["image_size"] == (4, 6)


def test_what_is_learnt_with_masks_is_not_scored_on(recipe, caplog):
    with pytest.raises(ValueError, match=r"2 of the 2 target images .*--target-sequences"):
        dataclasses.replace(recipe, target=recipe.source).load_data()
    data = recipe.load_data()
    some = SegmentedImages(
        np.concatenate([data.target_test.images, data.source_train.images[:1]]), None
    )
    refuse_learnt(data.source_train, some)
    assert "1 of the 3 target images for scoring are learnt from" in caplog.text


@pytest.mark.parametrize(
    "method",
    [
        "dann",
        *(
            pytest.param(method, marks=pytest.mark.slow)
            for method in ("output-space", "advent", "dan", "dacs")
        ),
    ],
)
def test_every_method_learns_and_is_reported(method, recipe):
    recipe = dataclasses.replace(recipe, method=method)
    data = recipe.load_data()
    model = recipe.build_model(data)
    losses = [float(model.train_step(b)["label_loss"]) for b in recipe.batches(data, 0).take(4)]
    assert losses[-1] < losses[0]
    scores = recipe.score(model, data)
    assert set(scores["target"]["iou"]) == {"sky", "road"}
    assert scores["guessing"]["mean_iou"] == pytest.approx(_iou_of_guessing(data))
    page = recipe.report(model, data, {"loss": losses}, scores).html()
    assert "IoU of each class" in page and "Colours of the classes" in page
    assert _rows_of(page, "mean")[0][1] == f"{_iou_of_guessing(data):.4g}"
    assert recipe.settings_with(data)["colors"] == [[10, 20, 30], [40, 50, 60]]


def test_source_takes_the_light_of_the_target_with_fourier_alone(recipe):
    data = recipe.load_data()
    batches = [
        next(iter(dataclasses.replace(recipe, fourier=share).batches(data, 0)))
        for share in (None, 0.0)
    ]
    before, after = (batch["source"][0].numpy().mean((1, 2)) for batch in batches)
    dusk = batches[1]["target"].numpy().mean((1, 2))
    assert np.abs(after - dusk).max() < np.abs(before - dusk).min() / 5  # not 0: black is cut off
    assert np.array_equal(batches[0]["source"][1], batches[1]["source"][1])


def _rows_of(page, name):
    """Return the numbers in the rows of a name."""
    rows = re.findall(rf'<tr><th scope="row">{name}</th>(.*?)</tr>', page)
    return [re.findall(r'<td class="number">([^<]*)</td>', row) for row in rows]


def _iou_of_guessing(data):
    """Return the mean IoU of the class that most pixels of the learnt masks have."""
    learnt, test = data.source_train.labels, data.target_test.labels
    guess = int((learnt == 1).sum() > (learnt == 0).sum())
    return np.mean([(test == guess).mean(), 0.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "mnist"}, "folder:PATH"),
        ({"holdout": 1.0}, "holdout"),
        ({"source_sequences": ("a",)}, "frames.csv"),
    ],
)
def test_unusable_settings_are_refused(changes, message, recipe):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(recipe, **changes).load_data()


def test_weights_of_another_backbone_are_refused():
    recipe = SegmentationRecipe(backbone="unet", weights="imagenet")
    with pytest.raises(ValueError, match="--backbone mobilenet"):
        recipe.networks(3)


@pytest.mark.parametrize(("found", "is_worth_it"), [(0.43, True), (0.42, False), (0.079, False)])
def test_a_segmenter_that_does_not_beat_one_class_everywhere_is_not_published(found, is_worth_it):
    """It took every pixel for the rare class, and was exported without a word."""
    scores = {"target": {"mean_iou": found}, "guessing": {"mean_iou": 0.42}}
    assert (SegmentationRecipe().verdict(scores) is None) == is_worth_it
    assert SegmentationRecipe().printed_headline(scores)["mean IoU of guessing"] == "42.0%"
