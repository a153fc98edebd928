"""The recipes by name; each is one method's experiment in a file of its own.

keras-dtl recipes
"""

from dataclasses import dataclass

from keras_dtl.scripts.recipes.adda import ADDARecipe
from keras_dtl.scripts.recipes.ccsa import CCSARecipe
from keras_dtl.scripts.recipes.cgmv import CGMVRecipe
from keras_dtl.scripts.recipes.cyclegan import CycleGANRecipe
from keras_dtl.scripts.recipes.dan import DANRecipe
from keras_dtl.scripts.recipes.dann import DANNRecipe
from keras_dtl.scripts.recipes.deep_coral import DeepCORALRecipe
from keras_dtl.scripts.recipes.fast_style import FastStyleRecipe
from keras_dtl.scripts.recipes.fine_tuning import FineTuningRecipe
from keras_dtl.scripts.recipes.gmv import GMVRecipe
from keras_dtl.scripts.recipes.mme import MMERecipe
from keras_dtl.scripts.recipes.motion_aae import MotionAAERecipe
from keras_dtl.scripts.recipes.motion_gmv import MotionGMVRecipe
from keras_dtl.scripts.recipes.motion_style import MotionStyleRecipe
from keras_dtl.scripts.recipes.pix2pix import Pix2PixRecipe
from keras_dtl.scripts.recipes.segmentation import SegmentationRecipe
from keras_dtl.scripts.recipes.source_only import SourceOnlyRecipe
from keras_dtl.scripts.recipes.swap_vae import SwapVAERecipe

RECIPES = {
    recipe.name: recipe
    for recipe in (
        DANNRecipe,
        DANRecipe,
        DeepCORALRecipe,
        ADDARecipe,
        MMERecipe,
        CCSARecipe,
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


@dataclass(frozen=True)
class Recipes:
    """List the recipes that `keras-dtl train` knows."""


def main(arguments):
    """Print each recipe with the first line of what it says of itself."""
    for name, recipe in RECIPES.items():
        print(f"{name:14} {recipe.__doc__.strip().splitlines()[0]}")
    return 0
