"""Adapt a trained run to other images, without those it learnt from.

keras-dtl adapt runs/source-only --target folder:photos
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from keras_dtl.cli.command import INTERRUPTED, PARTLY, SUCCESS
from keras_dtl.recipes.shot import SHOTRecipe


@dataclass(frozen=True)
class Adapt(SHOTRecipe):
    """Adapt a trained run to unlabelled images, without its source, and export the result.

    The answers before and after are compared in words, and where the target has labels so are
    the accuracies; labels serve for nothing else. The run itself stays as it is.
    """

    start: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")] = tyro.MISSING
    """Run folder that `keras-dtl train` made."""
    target: str = tyro.MISSING
    """Images to adapt to: folder:PATH, with classes or without, or any name that `train` takes."""

    def recipe(self):
        """Return the recipe with these settings."""
        fields = dataclasses.fields(SHOTRecipe)
        return SHOTRecipe(**{field.name: getattr(self, field.name) for field in fields})


def main(arguments):
    from keras_dtl.cli.quiet import hear_onednn_out
    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes.runs import run_record
    from keras_dtl.recipes.standing import tell_new
    from keras_dtl.recipes.training import train_and_publish

    recipe = arguments.recipe()
    run_record(Path(recipe.start), "settings")  # says so at once where there is no run
    tell_new(recipe)
    print(start_session(recipe.seed, recipe.mixed_precision, recipe.jit, recipe.onednn))
    hear_onednn_out()
    try:
        status = SUCCESS if train_and_publish(recipe) else PARTLY
    except KeyboardInterrupt:
        print(f"\nStopped. {recipe.run_folder} keeps the last whole epoch; --resume goes on.")
        return INTERRUPTED
    print(run_record(recipe.run_folder, "scores")["answers"]["words"])
    return status
