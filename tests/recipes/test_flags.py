import dataclasses
import json
from pathlib import Path
from typing import Literal

import keras
import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.files import write_json
from keras_dtl.recipes import RECIPES, recipe_of_settings
from keras_dtl.recipes.flags import check_flags, check_jit, is_of_type


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--epochs", "0"),
        ("--batch-size", "0"),
        ("--learning-rate", "-1"),
        ("--learning-rate", "nan"),
        ("--image-size", "7"),
        ("--shots", "-1"),
        ("--target-size", "0"),
    ],
)
def test_wrong_value_is_one_line_and_status_2(flag, value, capsys):
    assert main(["train", "dann", flag, value]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert flag in lines[0]
    assert "Received" in lines[0]


@pytest.mark.parametrize(
    ("name", "field", "value", "expected"),
    [
        ("motion-style", "stride", 0, "1 or more"),
        ("motion-style", "window", -1, "1 or more"),
        ("motion-style", "rate", 0.0, "more than 0"),
        ("motion-style", "held_out", -1, "0 or more"),
        ("motion-style", "test_share", 1.5, "in 0..1"),
        ("segmentation", "fourier", 0.7, "in 0..0.5"),
        ("motion-style", "cycle_weight", -2.0, "0 or more"),
        ("pix2pix", "measure_every", 0, "1 or more"),
        ("cyclegan", "pool_size", -1, "0 or more"),
        ("fast-style", "style_size", 0, "1 or more"),
        ("swap-vae", "content", 0, "1 or more"),
    ],
)
def test_ranges_of_single_recipes(name, field, value, expected):
    with pytest.raises(ValueError, match=rf"--{field.replace('_', '-')} must be {expected}"):
        check_flags(RECIPES[name](**{field: value}))
    check_flags(RECIPES[name]())


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_knows_the_ranges(name):
    for field in ({"epochs": 0}, {"batch_size": -1}):
        with pytest.raises(ValueError, match="1 or more"):
            check_flags(RECIPES[name](**field))
    known = {field.name for field in dataclasses.fields(RECIPES[name])}
    if "learning_rate" in known:
        with pytest.raises(ValueError, match="more than 0"):
            check_flags(RECIPES[name](learning_rate=0.0))


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_other_backends_are_refused_before_they_are_imported(backend, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    assert main(["train", "dann"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert repr(backend) in line
    assert "KERAS_BACKEND" in line


def test_channels_first_of_keras_json_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "keras.json").write_text(json.dumps({"image_data_format": "channels_first"}))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert main(["train", "dann"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "keras.json" in line
    assert "channels_last" in line


def test_flags_name_the_arrays_of_archives():
    arrays = {"npz_images": "photos", "npz_labels": "person"}
    recipe = RECIPES["dann"](source="npz:a.npz", target="npz:b.npz:y", **arrays)
    assert (recipe.source, recipe.target) == ("npz:a.npz:photos,person", "npz:b.npz:y")
    assert (recipe.npz_images, recipe.npz_labels) == (None, None)
    assert RECIPES["gmv"](source="npz:a.npz", npz_labels="who").source == "npz:a.npz:who"
    assert RECIPES["gmv"](source="npz:a.npz", npz_images="x1").source == "npz:a.npz:x1,"
    with pytest.raises(ValueError, match="name arrays of npz:PATH.npz, and no data set is one"):
        RECIPES["dann"](source="digits", target="npz:b.npz:y", **arrays)


@pytest.mark.parametrize("name", RECIPES)
def test_settings_of_a_run_are_read_as_they_were_written(name, tmp_path):
    recipe = RECIPES[name]()
    write_json(tmp_path / "settings.json", json.loads(json.dumps(recipe.settings(), default=str)))
    assert recipe_of_settings(tmp_path / "settings.json") == recipe


@pytest.mark.parametrize(
    ("hint", "right", "wrong"),
    [
        (int, [0, -3], [True, 1.0, "1", None, (1,)]),
        (float, [0, 0.5], [False, "0.5", None]),
        (bool, [True], [0, 1, "true"]),
        (str, ["a"], [1, None, ("a",)]),
        (str | None, ["a", None], [1]),
        (Path | None, ["a", None], [1]),
        (Literal["auto"] | float, ["auto", 1], ["other", True]),
        (Literal[1, 3], [1, 3], [2, True, 1.0, "1"]),
        (tuple[str, ...], [(), ("a", "b")], ["a", ("a", 1), None]),
        (tuple[int, int] | None, [(1, 2), None], [(1,), (1, 2, 3), (1, None)]),
    ],
)
def test_values_of_another_kind_are_known(hint, right, wrong):
    assert all(is_of_type(value, hint) for value in right)
    assert not any(is_of_type(value, hint) for value in wrong)


def test_networks_that_xla_does_not_compile_are_refused():
    turned = keras.layers.RandomRotation(0.1, name="turned")
    model = keras.Sequential([keras.Input((8, 8, 3)), turned])
    with pytest.warns(UserWarning, match="support"):
        model.compile(jit_compile=True)
    with pytest.raises(ValueError, match="--jit on: Keras does not compile the layers turned"):
        check_jit(RECIPES["dann"](jit="on"), model)
    check_jit(RECIPES["dann"](), model)
