"""The recipes by name; each is one method's experiment in a file of its own."""

import dataclasses
import reprlib
import typing
from pathlib import Path

from keras_dtl.recipes.adamatch import AdaMatchRecipe
from keras_dtl.recipes.adda import ADDARecipe
from keras_dtl.recipes.base import Recipe
from keras_dtl.recipes.ccsa import CCSARecipe
from keras_dtl.recipes.cdan import CDANRecipe
from keras_dtl.recipes.cgmv import CGMVRecipe
from keras_dtl.recipes.cyclegan import CycleGANRecipe
from keras_dtl.recipes.dan import DANRecipe
from keras_dtl.recipes.dann import DANNRecipe
from keras_dtl.recipes.deep_coral import DeepCORALRecipe
from keras_dtl.recipes.fast_style import FastStyleRecipe
from keras_dtl.recipes.fine_tuning import FineTuningRecipe
from keras_dtl.recipes.flags import is_of_type
from keras_dtl.recipes.gmv import GMVRecipe
from keras_dtl.recipes.mcc import MCCRecipe
from keras_dtl.recipes.mme import MMERecipe
from keras_dtl.recipes.motion_aae import MotionAAERecipe
from keras_dtl.recipes.motion_gmv import MotionGMVRecipe
from keras_dtl.recipes.motion_style import MotionStyleRecipe
from keras_dtl.recipes.pix2pix import Pix2PixRecipe
from keras_dtl.recipes.runs import read_object, run_record
from keras_dtl.recipes.segmentation import SegmentationRecipe
from keras_dtl.recipes.shot import SHOTRecipe
from keras_dtl.recipes.source_only import SourceOnlyRecipe
from keras_dtl.recipes.swap_vae import SwapVAERecipe

RECIPES = {
    recipe.name: recipe
    for recipe in (
        DANNRecipe,
        CDANRecipe,
        DANRecipe,
        DeepCORALRecipe,
        ADDARecipe,
        MCCRecipe,
        AdaMatchRecipe,
        MMERecipe,
        CCSARecipe,
        SHOTRecipe,
        SourceOnlyRecipe,
        Pix2PixRecipe,
        CycleGANRecipe,
        FastStyleRecipe,
        FineTuningRecipe,
        SegmentationRecipe,
        SwapVAERecipe,
        GMVRecipe,
        CGMVRecipe,
        MotionStyleRecipe,
        MotionAAERecipe,
        MotionGMVRecipe,
    )
}


def run_recipe(folder: Path) -> Recipe:
    """Return the recipe of a run, with its settings, to go on in the same folder.

    Args:
        folder: Of the run.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
        ValueError: When its settings are damaged, or name no recipe of this version.
    """
    values, path = run_record(folder, "settings"), folder / "settings.json"
    recipe = _recipe_of(values, path, "Train again.")
    named = {name: values[name] for name in _PLACES if values.get(name) is not None}
    _require_types(named, dict.fromkeys(named, str), path, "Train again.")
    named = {name: Path(place) for name, place in named.items()}
    return dataclasses.replace(recipe, **named, output=folder)


def recipe_of_settings(path: Path) -> Recipe:
    """Return the recipe with the settings of a file that a run wrote, for a run of its own.

    Args:
        path: `settings.json` of a run folder or of an artifact.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or names no recipe of this version.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file of settings {path}. Give the settings.json of a run folder."
        )
    remedy = "Give the settings.json of another run."
    return _recipe_of(read_object(path, remedy), path, remedy)


_PLACES = ("artifact", "data_dir", "manual_dir")
"""Paths that a run notes beside its settings."""


def _recipe_of(values: dict, path: Path, remedy: str) -> Recipe:
    if values.get("recipe") not in list(RECIPES):  # whatever it is, a list or an object too
        raise ValueError(
            f"{path} names the recipe {values.get('recipe')!r}; there are {', '.join(RECIPES)}. "
            f"{remedy}"
        )
    recipe = RECIPES[values["recipe"]]
    types = typing.get_type_hints(recipe)
    fields = {field.name for field in dataclasses.fields(recipe)} - {"output", *_PLACES}
    settings = {name: _field(values[name]) for name in values if name in fields}
    _require_types(settings, types, path, remedy)
    if "preset" in fields:
        settings.setdefault("preset", "paper")  # as all was before there was a choice
    return recipe(**settings)


def _require_types(values: dict, types: dict, path: Path, remedy: str) -> None:
    for name, value in values.items():
        if not is_of_type(value, types[name]):
            shown = f"{name}: {reprlib.repr(value)}"
            raise ValueError(f"{path} holds {shown}, which is of another kind. {remedy}")


def _field(value):
    """Return a value of JSON as a field of a recipe holds it."""
    return tuple(map(_field, value)) if isinstance(value, list) else value
