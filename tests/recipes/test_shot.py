"""What the recipe of SHOT loads: images to adapt to, and those to score by, where there are any."""

import numpy as np
import pytest

from keras_dtl import backbones
from keras_dtl.images import write_image
from keras_dtl.recipes import RECIPES


@pytest.mark.parametrize("test_classes", [("cat", "dog"), ()])
def test_a_test_split_without_classes_scores_nothing(test_classes, tmp_path, monkeypatch):
    image = np.zeros((8, 8, 3), "uint8")
    for name in ("cat", "dog"):
        write_image(tmp_path / "train" / name / "a.png", image)
    for name in test_classes or (".",):
        write_image(tmp_path / "test" / name / "b.png", image)
    networks = backbones.lenet((28, 28, 3)), None
    monkeypatch.setattr("keras_dtl.recipes.shot.networks_of", lambda *_: networks)
    monkeypatch.setattr("keras_dtl.recipes.runs.run_classes", lambda _: ("cat", "dog"))
    data = RECIPES["shot"](target=f"folder:{tmp_path}").load_data()
    assert data.train.labels is None and len(data.train) == 2
    if test_classes:
        assert data.test.labels.tolist() == [0, 1]
    else:
        assert data.test is None
