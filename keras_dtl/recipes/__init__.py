"""The recipes by name; each is one method's experiment in a file of its own."""

import dataclasses
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
    if values.get("recipe") not in RECIPES:
        raise ValueError(
            f"{folder} was trained by the recipe {values.get('recipe')!r}; there are "
            f"{', '.join(RECIPES)}."
        )
    recipe = RECIPES[values["recipe"]]
    names = {field.name for field in dataclasses.fields(recipe)}
    settings = {name: _field(values[name]) for name in values if name in names}
    if "preset" in names:
        settings.setdefault("preset", "paper")  # as all was before there was a choice
    places = ("artifact", "data_dir", "manual_dir")
    settings |= {name: Path(values[name]) for name in places if values.get(name)}
    return recipe(**{**settings, "output": folder})


def _field(value):
    """Return a value of JSON as a field of a recipe holds it."""
    return tuple(map(_field, value)) if isinstance(value, list) else value
