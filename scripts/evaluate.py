"""Score a trained run again.

keras-dtl evaluate runs/dann
keras-dtl evaluate runs/dann --target folder:photos
"""

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from keras_dtl.files import write_json
from keras_dtl.scripts.command import SUCCESS, run


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


def main(arguments):
    from keras_dtl.scripts.session import start_session

    recipe, model_path = load_run(arguments.run)
    changes = {
        name: value
        for name in ("source", "target", "data_dir", "manual_dir")
        if (value := getattr(arguments, name)) is not None
    }
    recipe = dataclasses.replace(recipe, **changes)
    print(start_session(recipe.seed, recipe.mixed_precision))
    import keras

    model = keras.saving.load_model(model_path)
    data = recipe.load_data()
    scores = recipe.score(model, data)
    folder = arguments.output or arguments.run
    write_json(folder / "scores.json", scores)
    history = json.loads((arguments.run / "history.json").read_text(encoding="utf-8"))
    recipe.report(model, data, history, scores).write(folder / "report.html")
    for name, value in recipe.headline(scores).items():
        print(f"{name}: {recipe.shown(value)}")
    return SUCCESS


def load_run(folder):
    """Return the recipe of a finished run and the path of its model.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
        ValueError: When its settings name no recipe of this version.
    """
    from keras_dtl.scripts.recipes import RECIPES

    model, settings = folder / "model.keras", folder / "settings.json"
    for path in (settings, model):
        if not path.is_file():
            raise FileNotFoundError(
                f"{folder} holds no finished run: there is no {path.name}. Give the folder that "
                "`keras-dtl train` made; `train --resume` finishes one that was stopped."
            )
    values = json.loads(settings.read_text(encoding="utf-8"))
    if values.get("recipe") not in RECIPES:
        raise ValueError(
            f"{settings} names the recipe {values.get('recipe')!r}; there are {', '.join(RECIPES)}."
        )
    recipe = RECIPES[values["recipe"]]
    names = {field.name for field in dataclasses.fields(recipe)}
    return recipe(**{name: values[name] for name in values if name in names}), model


if __name__ == "__main__":
    sys.exit(run(Evaluate, main))
