"""Fit a recipe, score it, write its report and publish its artifact.

keras-dtl train dann --source digits --target digits_m
keras-dtl train --resume runs/dann
keras-dtl train --resume runs/dann --epochs 40
"""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Union

import tyro

from keras_dtl.cli.command import INTERRUPTED, PARTLY, SUCCESS
from keras_dtl.cli.session import start_session
from keras_dtl.recipes import RECIPES, run_recipe
from keras_dtl.recipes.flags import check_flags
from keras_dtl.recipes.training import is_published, publish, train

Train = Union[  # noqa: UP007 (made from a table)
    tuple(Annotated[recipe, tyro.conf.subcommand(name)] for name, recipe in RECIPES.items())
]


def parse(words: Sequence[str], prog: str):
    """Return the recipe that a command line asks for.

    Args:
        words: What follows the verb: a recipe's name and flags; or `--resume`, a run folder, and
            the flags that shall differ from the run's settings.
        prog: Name of the command in its help.

    Raises:
        FileNotFoundError: When the folder to resume holds no run.
        ValueError: When its settings are damaged.
    """
    if list(words[:1]) != ["--resume"] or len(words) < 2:
        return tyro.cli(Train, args=words, prog=prog)
    begun = dataclasses.replace(run_recipe(Path(words[1])), resume=True)
    return tyro.cli(type(begun), args=words[2:], default=begun, prog=f"{prog} --resume RUN")


def main(recipe) -> int:
    """Train, score and publish a recipe; return the exit status."""
    check_flags(recipe)
    print(start_session(recipe.seed, recipe.mixed_precision, recipe.jit))
    try:
        trained = train(recipe)
    except KeyboardInterrupt:
        print(f"\nStopped. {recipe.run_folder} keeps the last whole epoch; --resume goes on.")
        return INTERRUPTED
    if recipe.resume and is_published(recipe, trained):
        print(f"{recipe.artifact_folder} is this run already: nothing to publish.")
        return SUCCESS
    if not publish(recipe, trained):
        print(f"failed: {recipe.verdict(trained.scores)}", file=sys.stderr)
        print(
            f"Run: {recipe.run_folder}, with report.html. Not exported; `keras-dtl export "
            f"{recipe.run_folder} --export-anyway` does it all the same."
        )
        return PARTLY
    print(f"Run: {recipe.run_folder}. Artifact: {recipe.artifact_folder}.")
    return SUCCESS
