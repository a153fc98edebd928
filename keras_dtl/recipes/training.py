"""A recipe fitted, scored, saved and published; a training that was stopped goes on."""

import json
import sys
from typing import NamedTuple

from keras_dtl.files import atomic_path, write_json


class Trained(NamedTuple):
    """What a training leaves: the model, its data, logs by name and scores."""

    model: object
    """The `Method`."""
    data: object
    """What the recipe's `load_data` returned."""
    history: dict
    scores: dict


def train(recipe, data=None) -> Trained:
    """Fit and score one recipe in a session that was started, and save what it learnt.

    Args:
        recipe: The `Recipe`.
        data: What its `load_data` returns, where that is at hand.

    Returns:
        `Trained`.
    """
    from keras_dtl.callbacks import Checkpoint

    checkpoint = Checkpoint(recipe.run_folder)
    check_folder(recipe, checkpoint)
    data = data or recipe.load_data()
    model = recipe.build_model(data)
    write_json(recipe.run_folder / "settings.json", recipe.settings_with(data))
    fit(recipe, model, data, checkpoint)
    if (selection := recipe.select_weights(model, data)) is not None:
        write_json(recipe.run_folder / "selection.json", selection)
    trained = Trained(model, data, checkpoint.columns(), recipe.score(model, data))
    save_run(recipe, trained)
    checkpoint.path.unlink()  # a run with a checkpoint is one that was not finished
    for name, value in recipe.headline(trained.scores).items():
        print(f"{recipe.name}: {name} {recipe.format_number(value)}")
    return trained


def check_folder(recipe, checkpoint) -> None:
    """Refuse to overwrite a training that was stopped, or to resume one with other settings.

    Args:
        recipe: The `Recipe`.
        checkpoint: The `keras_dtl.callbacks.Checkpoint` of its run folder.

    Raises:
        FileExistsError: When the run folder holds an unfinished training and `resume` is off.
        ValueError: When it was begun with other settings.
    """
    if not checkpoint.path.exists():
        return
    folder = recipe.run_folder
    if not recipe.resume:
        raise FileExistsError(
            f"{folder} holds a training that was not finished. Go on with --resume, name another "
            f"folder with --output, or delete {checkpoint.path} to begin again."
        )
    begun = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    now = json.loads(json.dumps(recipe.settings(), default=str))
    differing = [key for key in now if now[key] != begun.get(key)]
    if differing:
        changes = ", ".join(f"{key}: {begun.get(key)!r}, now {now[key]!r}" for key in differing)
        raise ValueError(
            f"{folder} was begun with other settings ({changes}). Resume with the old ones, or "
            "name another folder with --output."
        )


def fit(recipe, model, data, checkpoint) -> None:
    """Run the epochs that are not done yet.

    Args:
        recipe: The `Recipe`.
        model: What its `build_model` returned.
        data: What its `load_data` returned.
        checkpoint: The `keras_dtl.callbacks.Checkpoint` of its run folder.
    """
    from keras_dtl.callbacks import StopWhenDiverged

    steps = recipe.steps_per_epoch(data)
    done = checkpoint.restore(model)
    if done:
        print(f"Going on after epoch {done} of {recipe.epochs}.")
    model.fit(
        recipe.batches(data, first_step=done * steps),
        initial_epoch=done,
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        callbacks=[*recipe.callbacks(data), StopWhenDiverged(), checkpoint],
        verbose=1 if sys.stdout.isatty() else 2,
    )


def save_run(recipe, trained: Trained) -> None:
    """Write the model, its logs and its scores to the run folder.

    Args:
        recipe: The `Recipe`.
        trained: The `Trained`.
    """
    folder = recipe.run_folder
    with atomic_path(folder / "model.keras") as temporary:
        trained.model.save(temporary)
    write_json(folder / "history.json", trained.history)
    write_json(folder / "scores.json", trained.scores)


def publish(recipe, trained: Trained, **beside) -> None:
    """Write the report and export the deployable model with it.

    Args:
        recipe: The `Recipe`.
        trained: What `train` returned.
        **beside: Further arguments of `recipe.report`.
    """
    from keras_dtl.export import export_model

    path = recipe.run_folder / "report.html"
    report = recipe.report(*trained, **beside)
    report.write(path)
    pages = {name: path.with_name(name) for name in ("report.html", *report.files)}
    export_model(
        trained.model,
        recipe.artifact_folder,
        settings=recipe.settings_with(trained.data),
        metrics=trained.scores,
        extra_files=pages,
        **recipe.export_arguments(trained.data),
    )
