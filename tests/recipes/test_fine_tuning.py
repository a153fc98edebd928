"""What a fine-tuning starts from, through the recipe."""

import keras
import numpy as np
import pytest

from keras_dtl.images import write_image
from keras_dtl.methods import FineTuning
from keras_dtl.recipes.encoders import encoder_from
from keras_dtl.recipes.fine_tuning import FineTuningRecipe, layer_table
from tests.networks import compiled, dense, encoder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Two classes of ten images, and a finished run to start from."""
    folder = tmp_path_factory.mktemp("fine_tuning")
    random = np.random.default_rng(0)
    for name in ("dark", "light"):
        for index in range(10):
            image = random.integers(0, 128, (8, 8, 3)) + 100 * (name == "light")
            write_image(folder / "images" / name / f"{index}.png", image.astype("uint8"))
    (folder / "run").mkdir()
    compiled(FineTuning(encoder(), dense(3))).save(folder / "run" / "model.keras")
    return FineTuningRecipe(
        target=f"folder:{folder / 'images'}",
        start=str(folder / "run"),
        shots=4,
        train_from="1",
        encoder_rate=0.1,
        learning_rate=0.05,
    )


def test_encoder_starts_as_the_run_left_it(recipe):
    model = recipe.build_model(recipe.load_data())
    saved = keras.saving.load_model(f"{recipe.start}/model.keras", compile=False)
    for a, b in zip(model.encoder.get_weights(), saved.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.classifier.output_shape == (None, 2)
    assert [row["learnt"] for row in layer_table(model)] == [False, True]


def test_random_start_differs(recipe):
    networks = [encoder_from("random", "lenet", (16, 16, 3)) for _ in range(2)]
    first, second = (network.get_weights()[0] for network in networks)
    assert not np.array_equal(first, second)


def test_shots_are_learnt_and_the_test_images_scored(recipe):
    data = recipe.load_data()
    assert np.bincount(data.train.labels).tolist() == [4, 4]
    model = recipe.build_model(data)
    for batch in recipe.batches(data, 0).take(30):
        model.train_step(batch)
    assert recipe.headline(recipe.score(model, data))["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("start", "backbone", "error", "message"),
    [
        ("absent", "lenet", FileNotFoundError, "random, imagenet"),
        ("imagenet", "lenet", ValueError, "--backbone"),
        ("folder", "lenet", FileNotFoundError, "finished run"),
        ("other.keras", "lenet", ValueError, "Expected one from images"),
        ("broken.h5", "MobileNetV2", OSError, "MobileNetV2"),
    ],
)
def test_unusable_starts_are_refused(start, backbone, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.h5").write_bytes(b"no weights")
    dense(3).save("other.keras")
    with pytest.raises(error, match=message):
        encoder_from(start, backbone, (32, 32, 3))
