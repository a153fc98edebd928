"""What `keras-dtl train` leaves in a run folder, written and read again."""

import contextlib
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_dtl.files import atomic_path, read_regular, readable_name, resolved, write_json
from keras_dtl.folders import require_artifact_folder, require_output_folder
from keras_dtl.manifest_values import is_classes

_LARGEST = 2**28  # bytes of JSON


def run_model(folder: Path, compile: bool = False):
    """Return the Keras model of a finished run.

    Args:
        folder: Of the run.
        compile: Whether it comes with its optimizers and their state.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
        ValueError: When the file is damaged, or holds another model.
    """
    path = _require_file(folder, "model.keras")
    from keras_dtl.methods import load_model

    model = load_model(path, compile)
    if not hasattr(model, "deployable"):
        kind = type(model).__name__
        raise ValueError(f"{path} holds a {kind}, which no recipe trains. Train again.")
    return model


def run_record(folder: Path, name: str) -> dict:
    """Return what a run wrote down.

    Args:
        folder: Of the run.
        name: `"settings"`, `"history"`, `"scores"` or `"failures"`.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
        ValueError: When the file is damaged.
    """
    path = _require_file(folder, f"{name}.json")
    record = read_object(path, _remedy_of(folder, name))
    if not record and name != "failures":
        raise ValueError(f"{path} holds nothing. {_remedy_of(folder, name)}")
    if name == "history" and not _are_columns(list(record.values())):
        raise ValueError(f"{path} must hold a number of each epoch by each name. Train again.")
    return record


def _remedy_of(folder, name):
    if name == "scores":
        return f"`keras-dtl evaluate {shlex.quote(str(folder))}` writes it anew."
    return "Remove it." if name == "failures" else "Train again."


def run_scores(recipe) -> dict:
    """Return the scores of a finished run, whose recipe can read them.

    Args:
        recipe: The `Recipe`.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
        ValueError: When the file is damaged.
    """
    scores = run_record(recipe.run_folder, "scores")
    with told_scores(recipe.run_folder):
        recipe.verdict(scores)
        recipe.printed_headline(scores)
    return scores


def run_failures(folder: Path) -> tuple:
    """Return the `keras_dtl.callbacks.Failure`s of the last epoch of a finished run.

    Args:
        folder: Of the run.
    """
    from keras_dtl.callbacks import Failure

    told = run_record(folder, "failures") if (folder / "failures.json").exists() else {}
    return tuple(Failure(name, str(words)) for name, words in told.items())


def run_classes(folder: Path) -> tuple[str, ...] | None:
    """Return the classes that a finished run learnt, or None where it learnt none.

    Args:
        folder: Of the run.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
        ValueError: When its settings are damaged.
    """
    classes = run_record(folder, "settings").get("classes")
    if not is_classes(classes):
        path = folder / "settings.json"
        raise ValueError(f"{path} must hold the names of the classes. Train again.")
    return None if classes is None else tuple(classes)


def told_scores(folder: Path):
    """Be `told_by_name` for the scores of a finished run."""
    return told_by_name(folder / "scores.json", _remedy_of(folder, "scores"))


@contextlib.contextmanager
def told_by_name(path: Path, remedy: str) -> Iterator[None]:
    """Be the context in which what a file holds is used: what fails there is told by its name.

    Args:
        path: The file.
        remedy: What to do where it is damaged, as a sentence.

    Raises:
        ValueError: It holds something else.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
        kind = type(error).__name__
        raise ValueError(f"{path} is damaged ({kind}: {error}). {remedy}") from error


def read_object(path: Path, remedy: str) -> dict[str, Any]:
    """Return the object that a JSON file of a run or a study holds.

    Args:
        path: The file.
        remedy: What to do where it is damaged, as a sentence.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds something else; its name is in the message.
    """
    try:
        value = json.loads(read_regular(path, _LARGEST))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON: {error}. {remedy}") from error
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise ValueError(f"{path} must hold a JSON object, and holds a {kind}. {remedy}")
    return value


def _are_columns(columns):
    kinds = (int, float, type(None))
    return (
        all(isinstance(column, list) and column for column in columns)
        and len(set(map(len, columns))) == 1
        and all(isinstance(value, kinds) for column in columns for value in column)
    )


def in_classes_of_run(examples, folder: Path | str | None):
    """Return examples whose labels count as those of the classifier that a training starts from.

    Args:
        examples: `LabelledImages`.
        folder: Of the run to start from, or None.

    Raises:
        FileNotFoundError: When the folder holds no finished run.
        ValueError: When the run learnt other classes, by name.
    """
    from keras_dtl.data import renumber

    classes = None if folder is None else run_classes(Path(folder))
    if classes is None:
        return examples
    missing = [name for name in classes if name not in examples.classes]
    if missing:
        raise ValueError(
            f"{folder} learnt the classes {', '.join(classes)}, and the images have none of "
            f"{', '.join(missing)} among {', '.join(examples.classes)}. Start from it by "
            "fine-tuning, whose classifier is new, or rename the classes."
        )
    return renumber(examples, classes, f"the run {folder}")


def data_in_classes_of_run(data, folder: Path | str):
    """Return what a recipe loaded with labels as a run counts them.

    Args:
        data: A named tuple of `LabelledImages`, `SegmentedImages` and others, or `MotionData`.
        folder: Of the run that is scored.

    Raises:
        ValueError: When images show classes that the run did not learn, or motion is of another
            skeleton.
    """
    if hasattr(data, "clips"):
        from keras_dtl.recipes.motion_runs import motion_of_run

        return motion_of_run(data, run_record(Path(folder), "settings"), folder)
    classes = run_classes(Path(folder))
    if classes is None or not hasattr(data, "_fields"):
        return data
    return type(data)(*(_in_classes(part, classes, folder) for part in data))


def _in_classes(part, classes, folder):
    from keras_dtl.data import LabelledImages, renumber
    from keras_dtl.data.segmentation import SegmentedImages

    if isinstance(part, LabelledImages):
        return renumber(part, classes, f"the run {folder}")
    if isinstance(part, SegmentedImages) and part.classes != classes:
        raise ValueError(
            f"{folder} learnt the classes {', '.join(classes)}, and the masks have "
            f"{', '.join(part.classes)}. Give the folder the classes.csv that the run had."
        )
    return part


def _require_file(folder, name):
    path = folder / name
    if not path.is_file() and (folder / "model.keras").is_file():
        raise FileNotFoundError(f"{path} is missing. {_remedy_of(folder, path.stem)}")
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no finished run: there is no {name}. Give the folder that "
            "`keras-dtl train` made; `train --resume` finishes one that was stopped."
        )
    return path


def places(recipe) -> dict:
    """Return the paths that `train --resume RUN` must know beside the settings."""
    named = {name: getattr(recipe, name) for name in ("artifact", "data_dir", "manual_dir")}
    return {name: str(path) for name, path in named.items() if path is not None}


def check_places(run: Path, artifact: Path) -> None:
    """Refuse places of a run and of its artifact that cannot be written to, before the work begins.

    Args:
        run: The run folder.
        artifact: The folder of the artifact.

    Raises:
        OSError: Naming the flag and what is in the way.
        ValueError: The run lies in the folder of the artifact.
    """
    require_output_folder(run, "--output")
    check_artifact_place(run, artifact, "--artifact")


def check_artifact_place(run: Path, artifact: Path, flag: str) -> None:
    """Refuse a place of an artifact that cannot be written to, or holds the run.

    Args:
        run, artifact: As of `check_places`.
        flag: What names the artifact.

    Raises:
        OSError, ValueError: As `check_places`.
    """
    if resolved(run).is_relative_to(resolved(artifact)):
        raise ValueError(
            f"{flag} is replaced as a whole, and the run must not lie in it. Received: "
            f"{readable_name(artifact)}, and the run {readable_name(run)}. Name another one."
        )
    require_artifact_folder(artifact, flag)


def rows_of(columns: dict) -> list:
    """Return the logs of each epoch from `{name: [a value an epoch]}`, without what is None."""
    count = max(map(len, columns.values()), default=0)
    return [
        {name: values[row] for name, values in columns.items() if values[row] is not None}
        for row in range(count)
    ]


def save_run(recipe, trained) -> None:
    """Write the model, its logs and its scores to the run folder.

    Args:
        recipe: The `Recipe`.
        trained: The `keras_dtl.recipes.training.Trained`.
    """
    folder = recipe.run_folder
    with atomic_path(folder / "model.keras") as temporary:
        trained.model.save(temporary)
    write_json(folder / "history.json", trained.history)
    write_json(folder / "scores.json", trained.scores)
    write_json(folder / "failures.json", {f.name: f.words for f in trained.failures})
