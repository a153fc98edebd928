"""Classes are matched by their names, between domains and with the run that is started from."""

import json

import numpy as np
import pytest

from keras_dtl.images import write_image
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.runs import data_in_classes_of_run


def write_classes(folder, levels, flat_test=False):
    """Write five images of each class, whose pixels are its level."""
    for name, level in levels.items():
        for index in range(5):
            place = f"train/{name}" if flat_test else name
            write_image(folder / place / f"{index}.png", np.full((4, 4, 3), level, "uint8"))
    if flat_test:
        write_image(folder / "test" / "0.png", np.zeros((4, 4, 3), "uint8"))
    return f"folder:{folder}"


def write_run(folder, classes):
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({"recipe": "dann", "classes": classes}))
    return folder


def shown_classes(part):
    return [part.classes[label] for label in part.labels]


def test_target_of_another_order_is_matched_by_name(tmp_path, monkeypatch):
    source = write_classes(tmp_path / "a", {"2": 2, "10": 10})
    np.savez(
        tmp_path / "b.npz",
        x=np.repeat([2, 10], 5).astype("uint8").reshape(10, 1, 1).repeat(4, 1).repeat(4, 2),
        y=np.repeat([2, 10], 5),
    )
    data = RECIPES["dann"](source=source, target=f"npz:{tmp_path}/b.npz").load_data()
    assert data.source_train.classes == data.target_train.classes == ("10", "2")
    for part in data[:4]:
        assert shown_classes(part) == [str(level) for level in part.images[:, 0, 0, 0]]


def test_classes_of_the_run_to_start_from_decide_the_order(tmp_path):
    source = write_classes(tmp_path / "a", {"cat": 1, "dog": 2})
    run = write_run(tmp_path / "run", ["dog", "cat"])
    data = RECIPES["source-only"](source=source, target=source, start=str(run)).load_data()
    assert {part.classes for part in data[:4]} == {("dog", "cat")}
    assert (data.source_train.images[:, 0, 0, 0] == 2 - data.source_train.labels).all()
    other = write_classes(tmp_path / "b", {"cat": 1, "emu": 2})
    with pytest.raises(ValueError, match="learnt the classes dog, cat.*none of dog among cat, emu"):
        RECIPES["source-only"](source=other, target=other, start=str(run)).load_data()


def test_a_run_is_scored_by_the_names_of_its_classes(tmp_path):
    run = write_run(tmp_path / "run", ["cat", "dog", "emu"])
    few = write_classes(tmp_path / "few", {"dog": 1, "emu": 2})
    data = data_in_classes_of_run(RECIPES["fine-tuning"](target=few).load_data(), run)
    for part in data:
        assert part.classes == ("cat", "dog", "emu")
        np.testing.assert_array_equal(part.images[:, 0, 0, 0], part.labels)
    other = write_classes(tmp_path / "other", {"dog": 1, "gnu": 2})
    with pytest.raises(ValueError, match="classes that the run .* does not know: gnu"):
        data_in_classes_of_run(RECIPES["fine-tuning"](target=other).load_data(), run)


def test_flat_test_is_told_before_the_training(tmp_path, caplog):
    source = write_classes(tmp_path / "a", {"cat": 1, "dog": 2})
    target = write_classes(tmp_path / "b", {"cat": 1, "dog": 2}, flat_test=True)
    data = RECIPES["dann"](source=source, target=target).load_data()
    assert data.target_test is None and data.source_test is not None
    assert "nothing can be scored on it" in caplog.text
    with pytest.raises(ValueError, match="nothing can be scored. Sort them into test/CLASS/"):
        RECIPES["fine-tuning"](target=target).load_data()
    with pytest.raises(ValueError, match="Validators need a labelled test split"):
        RECIPES["dann"](source=target, target=source, validators=True).load_data()
