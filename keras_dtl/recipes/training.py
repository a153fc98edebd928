"""A recipe fitted, scored, saved and published; a training that was stopped goes on."""

import contextlib
import sys
from typing import NamedTuple

from keras_dtl.files import write_json
from keras_dtl.folders import require_output_folder
from keras_dtl.recipes import closing
from keras_dtl.recipes.flags import check_flags, check_jit
from keras_dtl.recipes.replicas import difference, single_device, without_replicas
from keras_dtl.recipes.runs import (
    check_places,
    places,
    rows_of,
    run_failures,
    run_model,
    run_record,
    run_scores,
    save_run,
    told_scores,
)
from keras_dtl.recipes.standing import forget_run, standing_of
from keras_dtl.recipes.verdict import add_failures
from keras_dtl.turns import turn


class Trained(NamedTuple):
    """What a training leaves: the model, its data, logs by name, scores, and what went wrong."""

    model: object
    """The `Method`."""
    data: object
    """What the recipe's `load_data` returned."""
    history: dict
    scores: dict
    failures: tuple = ()
    """`keras_dtl.callbacks.Failure` of the last epoch."""
    read: bool = False
    """Whether the scores are those of a file."""


def train(recipe, data=None, strategy=None) -> Trained | None:
    """Fit and score one recipe in a session that was started, and save what it learnt.

    A run that is finished already is not trained again: `resume` adds the epochs that are
    missing, or gives back what it has. Of several workers the first, the chief, alone scores and
    writes.

    Args:
        recipe: The `Recipe`.
        data: What its `load_data` returns, where that is at hand.
        strategy: `tf.distribute.Strategy`, see `keras_dtl.distribution.start_strategy`; the
            default one trains on one device.

    Returns:
        `Trained`, with a model without replicas; None on other workers than the chief.

    Raises:
        FileExistsError: When the run folder holds a training, and it is neither to be resumed
            nor overwritten.
        BlockingIOError: When another training or evaluation is writing to it.
        NotADirectoryError: When it cannot be a folder.
        ValueError: When it was made with other settings.
    """
    from keras_dtl.distribution import is_chief

    check_flags(recipe)
    require_output_folder(recipe.run_folder, "--output")
    strategy = strategy or single_device()
    if not is_chief(strategy):
        return train_alone(recipe, data, strategy)
    with turn(recipe.run_folder, "training or evaluation", waits=False):
        return train_alone(recipe, data, strategy)


def train_alone(recipe, data, strategy) -> Trained | None:
    """Do what `train` does, in a run folder that no other training writes to.

    Args:
        recipe, data, strategy: As of `train`.
    """
    from keras_dtl.callbacks import Checkpoint, make_trackers
    from keras_dtl.data.summary import told_once
    from keras_dtl.distribution import is_chief, value_of_chief
    from keras_dtl.export import check_exportable

    checkpoint, chief = Checkpoint(recipe.run_folder), is_chief(strategy)
    standing = value_of_chief(standing_of(recipe, checkpoint) if chief else None, strategy)
    if data is None and chief:
        for line in recipe.data_lines():
            print(line)
    about = (recipe.run_folder, recipe.run_folder.name, recipe.settings())
    trackers = make_trackers(recipe.log if chief else (), *about)
    with told_once():
        data = data or recipe.load_data()
    if standing == "finished" and not chief:
        return None
    if standing == "finished":
        print(f"{recipe.run_folder} is finished: there is nothing to train.")
        return finished_run(recipe, data)
    if standing == "replaced" and chief:
        forget_run(recipe.run_folder)
    if standing == "longer" and chief:
        recipe.forget_choices()
    model = first_model(recipe, data, checkpoint, standing == "longer", strategy)
    check_jit(recipe, model)
    if chief and strategy.num_replicas_in_sync == 1:
        check_exportable(model, **recipe.export_arguments(data))
    if chief:
        settings = recipe.settings_with(data) | places(recipe)
        write_json(recipe.run_folder / "settings.json", settings)
    model, failures = fit(recipe, model, data, checkpoint, strategy, trackers)
    if model is None:
        return None
    trained = finish_run(recipe, model, data, checkpoint, failures)
    for tracker in trackers:
        tracker.finish(trained.scores)
    return trained


def first_model(recipe, data, checkpoint, longer, strategy):
    """Return the model that is fitted: a new one, or that of a finished run.

    Args:
        recipe, data, checkpoint, strategy: As of `fit`.
        longer: Whether a finished run gets more epochs; its logs are put into the checkpoint.
    """
    import keras

    if longer:
        checkpoint.history = rows_of(run_record(recipe.run_folder, "history"))
        with strategy.scope():
            return run_model(recipe.run_folder, compile=True)
    recipe.prepare(data, strategy)
    # What was downloaded, prepared or trained before must not move where this one begins.
    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope():
        return recipe.build_model(data)


def finish_run(recipe, model, data, checkpoint, failures=()) -> Trained:
    """Select, score and save what was fitted; return `Trained`."""
    if (selection := recipe.select_weights(model, data)) is not None:
        write_json(recipe.run_folder / "selection.json", selection)
    scores = recipe.score(model, data)
    trained = Trained(model, data, checkpoint.columns(), scores, failures)
    save_run(recipe, trained)
    checkpoint.path.unlink()  # a run with a checkpoint is one that was not finished
    recipe.forget_choices()  # until here a stop chooses again
    print_headline(recipe, trained)
    return trained


def print_headline(recipe, trained: Trained) -> None:
    """Print the scores that count, a line each.

    Args:
        recipe, trained: The `Recipe`, and the `Trained` that it left.
    """
    for name, number in recipe.printed_headline(trained.scores).items():
        print(f"{recipe.name}: {name} {number}")


def finished_run(recipe, data) -> Trained:
    """Return what a finished run left.

    Args:
        recipe, data: As of `fit`.
    """
    folder = recipe.run_folder
    history, scores = run_record(folder, "history"), run_scores(recipe)
    model, failures = run_model(folder, compile=True), run_failures(folder)
    return Trained(model, data, history, scores, failures, read=True)


def fit(recipe, model, data, checkpoint, strategy, trackers=()):
    """Run the epochs that are not done yet.

    Args:
        recipe: The `Recipe`.
        model: What its `build_model` returned, in the scope of `strategy`.
        data: What its `load_data` returned.
        checkpoint: The `keras_dtl.callbacks.Checkpoint` of its run folder.
        strategy: `tf.distribute.Strategy`.
        trackers: `keras_dtl.callbacks.Tracker`s.

    Returns:
        The fitted model, of several replicas one without, in their place, or None where this
        worker is not the chief; and the `keras_dtl.callbacks.Failure`s of the last epoch.
    """
    from keras_dtl.callbacks import LocalModel, StopWhenDiverged
    from keras_dtl.distribution import is_chief, share_batches

    steps, chief = recipe.steps_per_epoch(data), is_chief(strategy)
    done = checkpoint.restore(model) or len(checkpoint.history)
    if done and chief:
        print(f"Going on after epoch {done} of {recipe.epochs}.{difference(checkpoint, strategy)}")
    several, watch = strategy.num_replicas_in_sync > 1, recipe.failure_watch(data)
    watchers = [*recipe.watchers(data), watch] if chief else []
    local = recipe.build_model(data) if several and chief else None
    watchers = [LocalModel(watchers, local)] if local is not None else watchers
    batches = recipe.batches(data, first_step=done * steps)
    model.fit(
        share_batches(batches, strategy),
        initial_epoch=done,
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        callbacks=[*recipe.callbacks(data), *watchers, StopWhenDiverged(), checkpoint, *trackers],
        verbose=(1 if sys.stdout.isatty() else 2) if chief else 0,
    )
    if several:
        model = without_replicas(recipe, data, checkpoint, local) if chief else None
    return model, tuple(watch.failures.values())


def publish(recipe, trained: Trained, **beside) -> bool:
    """Write the report and export the deployable model with it.

    A model that does not beat guessing is not exported, unless the recipe says `export_anyway`.
    Whatever fails here leaves the run as it is: `train` with `resume` publishes it again.

    Args:
        recipe: The `Recipe`.
        trained: What `train` returned.
        **beside: Further arguments of `recipe.report`.

    Returns:
        Whether the model was exported.
    """
    from keras_dtl.export import export_model
    from keras_dtl.export.heads import task_of

    path = recipe.run_folder / "report.html"
    with told_scores(recipe.run_folder) if trained.read else contextlib.nullcontext():
        report = recipe.report(*trained[:4], **beside)
    verdict = recipe.verdict(trained.scores)
    add_failures(report, trained.failures, verdict)
    is_exported = verdict is None or recipe.export_anyway
    if is_exported:
        task = recipe.export_arguments(trained.data).get("task") or task_of(trained.model)
        command = closing.next_command(recipe, task)
        report.add_text("Next", f"The model lies in {recipe.artifact_folder}:\n{command}")
    report.write(path)
    if not is_exported:
        return False
    pages = {name: path.with_name(name) for name in ("report.html", *report.files)}
    export_model(
        trained.model,
        recipe.artifact_folder,
        settings=recipe.settings_with(trained.data),
        metrics=closing.published_scores(trained.scores),
        extra_files=pages,
        keep_versions=recipe.keep_versions,
        examples=recipe.export_examples(trained.data),
        **recipe.export_arguments(trained.data),
    )
    return True


def train_and_publish(recipe, strategy=None) -> bool:
    """Train, publish on the one worker that has something to publish, and say where it lies.

    Args:
        recipe: The `Recipe`.
        strategy: As of `train`.

    Returns:
        Whether the model is worth publishing, and published.

    Raises:
        OSError, ValueError: As `train`; and of the artifact's place, before the training begins.
    """
    check_places(recipe.run_folder, recipe.artifact_folder)
    trained = train(recipe, strategy=strategy)
    if trained is None:
        return True
    if recipe.resume and closing.is_published(recipe, trained):
        print(f"{recipe.artifact_folder} is this run already: nothing to publish.")
        return True
    return publish_and_tell(recipe, trained)


def publish_and_tell(recipe, trained: Trained) -> bool:
    """Publish, and print where it lies or why it was not exported; return whether it was.

    Args:
        recipe, trained: As of `publish`.
    """
    if publish(recipe, trained):
        print(closing.closing_line(recipe))
        return True
    print(f"failed: {recipe.verdict(trained.scores)}", file=sys.stderr)
    print(closing.refusal_line(recipe))
    return False
