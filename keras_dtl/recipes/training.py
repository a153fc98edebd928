"""A recipe fitted, scored, saved and published; a training that was stopped goes on."""

import json
import shutil
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


def train_and_publish(recipe, strategy=None):
    """Train, and publish on the one worker that has something to publish."""
    trained = train(recipe, strategy=strategy)
    if trained is not None:
        publish(recipe, trained)
        print(f"Run: {recipe.run_folder}. Artifact: {recipe.artifact_folder}.")


def train(recipe, data=None, strategy=None) -> Trained | None:
    """Fit and score one recipe in a session that was started, and save what it learnt.

    Of several workers the first, the chief, alone scores and writes.

    Args:
        recipe: The `Recipe`.
        data: What its `load_data` returns, where that is at hand.
        strategy: `tf.distribute.Strategy`, see `keras_dtl.distribution.start_strategy`; the
            default one trains on one device.

    Returns:
        `Trained`, with a model without replicas; None on other workers than the chief.
    """
    import keras

    from keras_dtl.callbacks import Checkpoint
    from keras_dtl.distribution import is_chief

    strategy = strategy or single_device()
    checkpoint = Checkpoint(recipe.run_folder)
    if is_chief(strategy):
        check_folder(recipe, checkpoint)
    data = data or recipe.load_data()
    recipe.prepare(data, strategy)
    # What was downloaded, prepared or trained before must not move where this one begins.
    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope():
        model = recipe.build_model(data)
    if is_chief(strategy):
        write_json(recipe.run_folder / "settings.json", recipe.settings_with(data))
    model = fit(recipe, model, data, checkpoint, strategy)
    return None if model is None else finish_run(recipe, model, data, checkpoint)


def finish_run(recipe, model, data, checkpoint):
    """Select, score and save what was fitted; return `Trained`."""
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


def fit(recipe, model, data, checkpoint, strategy):
    """Run the epochs that are not done yet.

    Args:
        recipe: The `Recipe`.
        model: What its `build_model` returned, in the scope of `strategy`.
        data: What its `load_data` returned.
        checkpoint: The `keras_dtl.callbacks.Checkpoint` of its run folder.
        strategy: `tf.distribute.Strategy`.

    Returns:
        The fitted model; of several replicas one without, in their place; None where this worker
        is not the chief.
    """
    from keras_dtl.callbacks import LocalModel, StopWhenDiverged
    from keras_dtl.distribution import is_chief, share_batches

    steps = recipe.steps_per_epoch(data)
    done = checkpoint.restore(model)
    if done and is_chief(strategy):
        print(f"Going on after epoch {done} of {recipe.epochs}.{difference(checkpoint, strategy)}")
    watchers = recipe.watchers(data) if is_chief(strategy) else []
    local = model
    if strategy.num_replicas_in_sync > 1:
        local = recipe.build_model(data) if is_chief(strategy) else None
        watchers = [LocalModel(watchers, local)] if watchers else []
    batches = recipe.batches(data, first_step=done * steps)
    model.fit(
        share_batches(batches, strategy),
        initial_epoch=done,
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        callbacks=[*recipe.callbacks(data), *watchers, StopWhenDiverged(), checkpoint],
        verbose=(1 if sys.stdout.isatty() else 2) if is_chief(strategy) else 0,
    )
    if local not in (None, model):
        checkpoint.restore(local)
    return local


def difference(checkpoint, strategy):
    """Return in words what another number of replicas changes, or nothing."""
    before, now = checkpoint.replicas, strategy.num_replicas_in_sync
    if before == now:
        return ""
    return (
        f" It was begun with {before} replica(s) and goes on with {now}: the order of the data is "
        "the same, but sums are rounded otherwise, batch normalisation sees other parts of a "
        "batch, dropout hides other units, and pools of images are those of the first replica."
    )


def receive(path, make, strategy=None):
    """Make a file on the chief's disk, unless it is there, and copy it to that of every worker.

    Args:
        path: The file.
        make: Function that makes it, which all workers call together.
        strategy: Of the training.
    """
    from keras_dtl.distribution import file_of_chief, value_of_chief

    strategy = strategy or single_device()
    if not value_of_chief(path.exists(), strategy):
        make()
    with file_of_chief(path, strategy) as content:
        if not path.exists():
            with atomic_path(path) as temporary:
                shutil.copyfile(content, temporary)


def single_device():
    """Return the strategy of one device."""
    import tensorflow as tf

    return tf.distribute.get_strategy()


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
