"""Score a trained run again.

keras-dtl evaluate runs/dann
keras-dtl evaluate runs/dann --target folder:photos
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from keras_dtl.cli.command import SUCCESS
from keras_dtl.files import write_json
from keras_dtl.folders import require_output_folder
from keras_dtl.recipes import run_recipe
from keras_dtl.recipes.runs import data_in_classes_of_run, run_model, run_record
from keras_dtl.turns import turn


@dataclass(frozen=True)
class Evaluate:
    """Score a trained run again, on its own data or on other, and write its report anew."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder that `keras-dtl train` made."""
    source: str | None = None
    """Score on another source, by name."""
    target: str | None = None
    """Score on another target, by name."""
    data_dir: Path | None = None
    """Folder of TFDS data sets. Default: TFDS_DATA_DIR."""
    manual_dir: Path | None = None
    """Folder of files fetched by hand, for data sets that need them."""
    output: Path | None = None
    """Where scores.json and report.html are written. Default: the run folder."""


def replace_data(recipe, arguments: Evaluate):
    """Return a recipe with the data that the arguments name.

    Args:
        recipe: That of the run.
        arguments: Those of the command; what is None in them stays the run's own.

    Raises:
        ValueError: The recipe has no such data.
    """
    changes = {
        name: value
        for name in ("source", "target", "data_dir", "manual_dir")
        if (value := getattr(arguments, name)) is not None
    }
    fields = {field.name for field in dataclasses.fields(recipe)}
    for name in changes:
        if name not in fields:
            offered = [f"--{field}" for field in ("source", "target") if field in fields]
            raise ValueError(
                f"A run of {recipe.name} has no {name.replace('_', ' ')} to be scored on another. "
                f"Leave --{name.replace('_', '-')} out; this recipe takes "
                f"{' and '.join(offered) or 'neither --source nor --target'}."
            )
    return dataclasses.replace(recipe, **changes)


def main(arguments: Evaluate) -> int:
    """Score a run, write scores and report, print the headline; return the exit status."""
    from keras_dtl.cli.session import start_session

    folder = arguments.output or arguments.run
    recipe = replace_data(run_recipe(arguments.run), arguments)
    require_output_folder(folder, "--output")
    print(start_session(recipe.seed, recipe.mixed_precision))
    with turn(folder, "training or evaluation", waits=False):
        return score_run(recipe, arguments.run, folder)


def score_run(recipe, run: Path, folder: Path) -> int:
    """Do what `main` does, in a folder that nobody else writes to."""
    model, history = run_model(run), run_record(run, "history")
    data = data_in_classes_of_run(recipe.load_data(), run)
    scores = recipe.score(model, data)
    write_json(folder / "scores.json", scores)
    recipe.report(model, data, history, scores).write(folder / "report.html")
    for name, number in recipe.printed_headline(scores).items():
        print(f"{name}: {number}")
    return SUCCESS
