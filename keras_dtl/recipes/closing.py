"""The last line of a training: where its report and artifact lie, and what to do with them."""

import json
import shlex

from keras_dtl.manifest import ManifestError, read_manifest

NEXT = {
    "classification": "convert {artifact} FOLDER out/",
    "image_to_image": "convert {artifact} FOLDER out/",
    "image_to_views": "convert {artifact} FOLDER out/",
    "multi_label_classification": "convert {artifact} FOLDER out/",
    "regression": "convert {artifact} FOLDER out/",
    "segmentation": "convert {artifact} FOLDER out/",
    "motion_style": "convert {artifact} FOLDER out/ --style STYLE.bvh",
}
"""Command by the task of an artifact; an artifact of another task is called from Python."""
OTHERWISE = "export {run} --help"
MOST_CLASSES = 100
"""Of how many classes at most an artifact tells each true class by each predicted one."""


def closing_line(recipe) -> str:
    """Return the line that names report, artifact and the next command.

    Args:
        recipe: The `Recipe`, whose artifact was published.
    """
    run, artifact = recipe.run_folder, recipe.artifact_folder
    command = next_command(recipe, read_manifest(artifact).task)
    return f"Report: {run / 'report.html'}. Artifact: {artifact}. Next: {command}"


def next_command(recipe, task: str | None) -> str:
    """Return what to do with a trained model.

    Args:
        recipe: The `Recipe`.
        task: Of the model.
    """
    words = recipe.next_words or NEXT.get(task or "", OTHERWISE)
    return f"keras-dtl {words.format(**_places(recipe))}"


def refusal_line(recipe) -> str:
    """Return the line that names the run and the command that exports it all the same.

    Args:
        recipe: The `Recipe`, which was not published.
    """
    words = "Not exported; `keras-dtl export {run} --output {artifact} --export-anyway` does it all"
    head = f"Run: {recipe.run_folder}, with report.html."
    return f"{head} {words.format(**_places(recipe))} the same."


def _places(recipe) -> dict[str, str]:
    """Return the folders as a shell takes them."""
    places = {"run": recipe.run_folder, "artifact": recipe.artifact_folder}
    return {name: shlex.quote(str(place)) for name, place in places.items()}


def published_scores(scores: dict) -> dict:
    """Return what an artifact's manifest says of the scores of a run.

    Of more than `MOST_CLASSES` classes the confusion stays in the run's `scores.json` alone: of
    a thousand it is a million numbers, more than is read of a manifest.

    Args:
        scores: What the recipe's `score` returned.
    """
    return {
        name: published_scores(value) if isinstance(value, dict) else value
        for name, value in scores.items()
        if not (name == "confusion" and len(value) > MOST_CLASSES)
    }


def is_published(recipe, trained) -> bool:
    """Return whether the artifact is what this run, with these settings and scores, published.

    Args:
        recipe: The `Recipe`.
        trained: What `keras_dtl.recipes.training.train` returned.
    """
    try:
        manifest = read_manifest(recipe.artifact_folder)
    except (ManifestError, OSError):
        return False
    ours = (published_scores(trained.scores), recipe.settings_with(trained.data))
    same = [json.dumps(value, default=str, sort_keys=True) for value in ours]
    theirs = (manifest.metrics, manifest.settings)
    return same == [json.dumps(value, sort_keys=True) for value in theirs]
