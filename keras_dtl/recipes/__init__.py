"""The recipes by name; each is one method's experiment in a file of its own."""

import dataclasses
import json
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
from keras_dtl.recipes.gmv import GMVRecipe
from keras_dtl.recipes.mcc import MCCRecipe
from keras_dtl.recipes.mme import MMERecipe
from keras_dtl.recipes.motion_aae import MotionAAERecipe
from keras_dtl.recipes.motion_gmv import MotionGMVRecipe
from keras_dtl.recipes.motion_style import MotionStyleRecipe
from keras_dtl.recipes.pix2pix import Pix2PixRecipe
from keras_dtl.recipes.runs import run_record
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
    values = run_record(folder, "settings")
    recipe = _recipe_of(values, folder)
    places = ("artifact", "data_dir", "manual_dir")
    named = {name: Path(values[name]) for name in places if values.get(name)}
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
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}.") from error
    places = {"artifact", "output"}
    return _recipe_of({key: value for key, value in values.items() if key not in places}, path)


def _recipe_of(values: dict, place: Path) -> Recipe:
    if values.get("recipe") not in list(RECIPES):  # whatever it is, a list or an object too
        raise ValueError(
            f"{place} was trained by the recipe {values.get('recipe')!r}; there are "
            f"{', '.join(RECIPES)}."
        )
    recipe = RECIPES[values["recipe"]]
    fields = {field.name for field in dataclasses.fields(recipe)}
    names = fields - {"artifact", "data_dir", "manual_dir"}
    settings = {name: _field(values[name]) for name in values if name in names}
    if "preset" in names:
        settings.setdefault("preset", "paper")  # as all was before there was a choice
    return recipe(**settings)


def _field(value):
    """Return a value of JSON as a field of a recipe holds it."""
    return tuple(map(_field, value)) if isinstance(value, list) else value
