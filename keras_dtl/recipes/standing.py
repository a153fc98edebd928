"""What a run folder holds before a training begins, and what may become of it."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Literal

from keras_dtl.files import resolved
from keras_dtl.recipes.runs import read_object, run_record

OF_A_RUN = (
    "model.keras",
    "scores.json",
    "history.json",
    "failures.json",
    "selection.json",
    "report.html",
)
"""Files that a finished training leaves beside its settings."""
OF_TRACKERS = ("mlflow.json", "wandb.json")
"""Files that say which run of a tracker goes on."""
Standing = Literal["new", "begun", "finished", "longer", "replaced"]


def standing_of(recipe, checkpoint) -> Standing:
    """Return what a training finds in its run folder, or refuse to lose it.

    Args:
        recipe: The `Recipe`.
        checkpoint: The `keras_dtl.callbacks.Checkpoint` of its run folder.

    Returns:
        new: nothing; begun: a training that was stopped, which goes on; finished: all that was
        asked for; longer: a finished training that gets more epochs; replaced: one that is lost.

    Raises:
        FileExistsError: When it holds a training, and neither `resume` nor `overwrite` is on.
        ValueError: When it was made with other settings, or for more epochs, or is what the
            training starts from.
    """
    folder = recipe.run_folder
    if checkpoint.path.exists():
        if not recipe.resume:
            raise FileExistsError(
                f"{folder} holds a training that was not finished. Go on with --resume, name "
                f"another folder with --output, or delete {checkpoint.path} to begin again."
            )
        check_settings(recipe)
        return "begun"
    if not (folder / "model.keras").exists():
        return "new"
    if recipe.resume and ((folder / "scores.json").exists() or not recipe.overwrite):
        return _standing_of_finished(recipe)
    if recipe.overwrite:
        _require_other_start(recipe)
        return "replaced"
    raise FileExistsError(
        f"{folder} holds a finished training. Add epochs with --resume --epochs N, name another "
        "folder with --output, or replace it with --overwrite."
    )


def _require_other_start(recipe):
    """Refuse to replace the run that a training starts from."""
    folder, start = recipe.run_folder, getattr(recipe, "start", None)
    if start is not None and resolved(start) in (
        resolved(folder),
        resolved(folder / "model.keras"),
    ):
        raise ValueError(
            f"--overwrite would remove {folder}, which the training starts from. Name another "
            "folder with --output."
        )


def tell_new(recipe) -> None:
    """Print that a new training begins, where one shall be resumed and there is none.

    Args:
        recipe: The `Recipe`.
    """
    folder = recipe.run_folder
    held = any((folder / name).exists() for name in ("training.weights.h5", "model.keras"))
    if recipe.resume and not held:
        print(f"{folder} holds no training to go on with: a new one begins.")


def _standing_of_finished(recipe):
    check_settings(recipe, except_for=("epochs",))
    done = done_epochs(recipe.run_folder)
    if recipe.epochs < done:
        raise ValueError(
            f"{recipe.run_folder} was trained for {done} epochs, more than --epochs "
            f"{recipe.epochs}. Ask for more, or name another folder with --output."
        )
    return "finished" if recipe.epochs == done else "longer"


def done_epochs(folder: Path) -> int:
    """Return how many epochs a finished run was trained for.

    Args:
        folder: Of the run.
    """
    return max(map(len, run_record(folder, "history").values()), default=0)


def check_settings(recipe, except_for: tuple = ()) -> None:
    """Refuse to go on with settings that differ from those that a training was begun with.

    Settings that an older version did not know are passed over.

    Args:
        recipe: The `Recipe`.
        except_for: Names of settings that may differ.

    Raises:
        ValueError: Naming what differs.
    """
    folder = recipe.run_folder
    begun = read_object(folder / "settings.json", "Name another folder with --output.")
    now = json.loads(json.dumps(recipe.settings(), default=str))
    known = [key for key in now if key in begun and key not in except_for]
    differing = [key for key in known if now[key] != begun[key]]
    if differing:
        changes = ", ".join(f"{key}: {begun[key]!r}, now {now[key]!r}" for key in differing)
        raise ValueError(
            f"{folder} was begun with other settings ({changes}). Resume with the old ones, as "
            f"`keras-dtl train --resume {shlex.quote(str(folder))}` does, or name another folder "
            "with --output."
        )


def forget_run(folder: Path) -> None:
    """Remove what a finished training left, before another takes its place."""
    for name in (*OF_A_RUN, *OF_TRACKERS):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)
