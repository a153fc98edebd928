"""Score a trained run again.

keras-dtl evaluate runs/dann
keras-dtl evaluate runs/dann --target folder:photos      # into runs/dann/other-data
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from keras_dtl.cli.command import SUCCESS
from keras_dtl.files import resolved, write_json
from keras_dtl.folders import require_output_folder
from keras_dtl.recipes import run_recipe
from keras_dtl.recipes.runs import (
    data_in_classes_of_run,
    run_failures,
    run_model,
    run_record,
)
from keras_dtl.recipes.verdict import add_failures
from keras_dtl.turns import turn

OTHER_DATA = "other-data"
"""Folder in that of the run to which scores on other data go."""


@dataclass(frozen=True)
class Evaluate:
    """Score a trained run again, on its own data or on other, and write a report.

    Scored is on the test split, as in training: of a folder without one, on 20 % of each class.
    What the run says of its own data stays as it is where it is scored on other data.
    """

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
    """Where scores.json and report.html are written. Default: the run folder; on other data
    other-data in it, with settings.json beside them."""


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


def output_folder(arguments: Evaluate, on_other_data: bool) -> Path:
    """Return where scores and report are written.

    Raises:
        FileExistsError: A run is there that was trained on other data: its artifact would be
            published with these scores.
    """
    run = arguments.run
    folder = arguments.output or (run / OTHER_DATA if on_other_data else run)
    require_output_folder(folder, "--output")
    is_own = resolved(folder) == resolved(run) and not on_other_data
    if (folder / "model.keras").exists() and not is_own:
        raise FileExistsError(
            f"--output must not be a run whose own scores would be replaced. Received: {folder}. "
            f"Name another folder, or leave it out: then it is {run / OTHER_DATA}."
        )
    return folder


def main(arguments: Evaluate) -> int:
    """Score a run, write scores and report, print the headline; return the exit status."""
    from keras_dtl.cli.session import start_session

    own = run_recipe(arguments.run)
    recipe = replace_data(own, arguments)
    folder = output_folder(arguments, on_other_data=data_names(recipe) != data_names(own))
    print(start_session(recipe.seed, recipe.mixed_precision, onednn=recipe.onednn))
    with turn(folder, "training or evaluation", waits=False):
        return score_run(recipe, own, arguments.run, folder)


def data_names(recipe) -> dict:
    """Return the names of the data that a recipe can be scored on."""
    names = {name: getattr(recipe, name, None) for name in ("source", "target")}
    return {name: value for name, value in names.items() if value is not None}


def score_run(recipe, own, run: Path, folder: Path) -> int:
    """Do what `main` does, in a folder that nobody else writes to.

    Args:
        recipe: That of the run, with the data to score on.
        own: That of the run as it was trained.
        run, folder: Of the run, and of the scores.
    """
    from keras_dtl.data.summary import told_once

    for line in recipe.data_lines():
        print(line)
    model, history = run_model(run), run_record(run, "history")
    with told_once():
        data = data_in_classes_of_run(recipe.load_data(), run)
    scores = recipe.score(model, data)
    report = recipe.report(model, data, history, scores)
    verdict = recipe.verdict(scores)
    if data_names(recipe) == data_names(own):
        add_failures(report, run_failures(run), verdict)
    else:
        add_failures(report, (*run_failures(run), verdict))
        report.summary = f"{of_other_data(recipe, own, run)}\n\n{report.summary}"
        write_json(folder / "settings.json", recipe.settings_with(data))
    write_json(folder / "scores.json", scores)
    report.write(folder / "report.html")
    tell_scores(recipe, data, scores)
    print(f"Report: {folder / 'report.html'}.")
    return SUCCESS


def of_other_data(recipe, own, run: Path) -> str:
    """Return the sentence of a report that tells the data of the training from these."""
    learnt, scored = (
        ", ".join(f"{name} {value}" for name, value in data_names(one).items())
        for one in (own, recipe)
    )
    return f"The run {run} was trained with {learnt}; here it is scored on {scored}."


def tell_scores(recipe, data, scores: dict) -> None:
    """Print what counts of the scores, and which data have no labels to score by."""
    for name, number in recipe.printed_headline(scores).items():
        print(f"{name}: {number}")
    for name, value in data_names(recipe).items():
        if getattr(data, f"{name}_test", getattr(data, "test", data)) is None:
            print(f"{value} has no labels: nothing is scored on the {name}.")
