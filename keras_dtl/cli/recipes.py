"""The recipes that can be trained.

keras-dtl recipes
"""

from dataclasses import dataclass

from keras_dtl.cli.command import SUCCESS
from keras_dtl.recipes import RECIPES


@dataclass(frozen=True)
class Recipes:
    """List the recipes that `keras-dtl train` knows."""


def main(arguments: Recipes) -> int:
    """Print each recipe with what it says of itself and what it is for; return the exit status."""
    for name, recipe in RECIPES.items():
        print(f"{name:14} {(recipe.__doc__ or '').strip().splitlines()[0]}")
        print(f"{'':14} {recipe.suits}")
    return SUCCESS
