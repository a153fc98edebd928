"""Fit a recipe, score it, write its report and publish its artifact.

keras-dtl train dann --source digits --target digits_m
"""

from typing import Annotated, Union

import tyro

from keras_dtl.cli.command import INTERRUPTED, SUCCESS
from keras_dtl.cli.session import start_session
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.closing import closing_line
from keras_dtl.recipes.training import publish, train

Train = Union[  # noqa: UP007 (made from a table)
    tuple(Annotated[recipe, tyro.conf.subcommand(name)] for name, recipe in RECIPES.items())
]


def main(recipe) -> int:
    """Train, score and publish a recipe; return the exit status."""
    print(start_session(recipe.seed, recipe.mixed_precision, recipe.jit))
    try:
        trained = train(recipe)
    except KeyboardInterrupt:
        print(f"\nStopped. {recipe.run_folder} keeps the last whole epoch; --resume goes on.")
        return INTERRUPTED
    publish(recipe, trained)
    print(closing_line(recipe.run_folder, recipe.artifact_folder))
    return SUCCESS
