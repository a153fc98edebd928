"""The last line of a training: where its report and artifact lie, and what to do with them."""

import json
from pathlib import Path

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


def closing_line(run: Path, artifact: Path) -> str:
    """Return the line that names report, artifact and the next command.

    Args:
        run: Folder of the run, with `report.html`.
        artifact: The artifact that was published.
    """
    command = next_command(read_manifest(artifact).task, run, artifact)
    return f"Report: {run / 'report.html'}. Artifact: {artifact}. Next: {command}"


def next_command(task: str | None, run: Path, artifact: Path) -> str:
    """Return what to do with a trained model.

    Args:
        task: Of the model.
        run, artifact: As of `closing_line`.
    """
    return f"keras-dtl {NEXT.get(task or '', OTHERWISE).format(artifact=artifact, run=run)}"


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
