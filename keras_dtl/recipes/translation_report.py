"""The report of an image translation: curves, pictures of the progress, new images, scores."""

import numpy as np

from keras_dtl.evaluation import Report, figures
from keras_dtl.evaluation.features import as_rgb
from keras_dtl.evaluation.translation_scores import translate
from keras_dtl.images import read_image

EXAMPLES = 6
"""How many test images are shown."""
INVERTED = -0.3
"""Correlation of brightness below which a translation counts as a negative."""
INVERSION = (
    "Light and dark have changed places: the generator draws negatives. Train again with another "
    "--seed, or with a larger --identity-weight (CycleGAN) or --reconstruction-weight (pix2pix)."
)
NO_DISTANCE = (
    "FID and KID say nothing here: they need features that were learnt (--features "
    "inception_v3:PATH) and some hundred test images. By random features, or of a few images, "
    "noise comes as near as a good translation."
)
STAGES = 6
"""How many pictures of the progress are shown."""


def translation_report(recipe, model, data, history: dict, scores: dict) -> Report:
    """Tell what a training did in one page.

    Args:
        recipe: The `TranslationRecipe`.
        model: The trained `Translation`.
        data: The `TranslationData` it was trained and scored on.
        history: Logs, `{name: [a value an epoch]}`.
        scores: What `recipe.score` returned.

    Returns:
        `keras_dtl.evaluation.Report`.
    """
    report = Report(
        f"{recipe.name}: {recipe.source}, {recipe.direction}",
        f"{recipe.length} at {recipe.image_size} pixels, seed {recipe.seed}. Scored on test "
        f"images that chose nothing; features: {recipe.features.partition(':')[0]}.",
        recipe.printed_headline(scores),
    )
    add_examples(report, recipe, model, data)
    add_training(report, history)
    add_progress(report, recipe)
    report.add_scores("Scores", scores)
    if not recipe.distances_count(scores):
        report.add_text("Scores", NO_DISTANCE, kind="note")
    report.add_table("Settings", recipe.settings(), collapsed=True)
    return report


def add_examples(report, recipe, model, data) -> None:
    """Show test images, what became of them and, for pairs, the answers.

    Args:
        report: The `Report`.
        recipe, model, data: As for `translation_report`.
    """
    source, answers = (part[:EXAMPLES] for part in recipe.in_direction(data.test))
    rows = {"source": source, "translated": translate(model.deployable(), source)}
    if recipe.paired:
        rows["answer"] = answers
    images = np.concatenate([as_rgb(row) for row in rows.values()])
    titles = [name for name, row in rows.items() for _ in row]
    figure = figures.image_grid(images, titles, columns=len(source))
    report.add_figure("Test images", figure, "Images that were not trained on.")


def add_training(report, history: dict) -> None:
    """Draw the curves, and warn of a generator that draws negatives.

    Args:
        report: The `Report`.
        history: Logs, `{name: [a value an epoch]}`.
    """
    report.add_figure("Training", figures.curves(history), "Mean over each epoch's steps.")
    measured = [value for value in history.get("brightness_correlation", ()) if value is not None]
    if measured and measured[-1] < INVERTED:
        report.add_text("Training", INVERSION, kind="warning")


def add_progress(report, recipe) -> None:
    """Show pictures that were drawn in the course of the training, if there are any.

    Args:
        report: The `Report`.
        recipe: The recipe, whose run folder holds them.
    """
    paths = sorted((recipe.run_folder / "images").glob("epoch-*.png"))
    if not paths:
        return
    chosen = sorted({round(index) for index in np.linspace(0, len(paths) - 1, STAGES)})
    pictures = np.stack([read_image(paths[index]) for index in chosen])
    titles = [f"epoch {int(paths[index].stem.removeprefix('epoch-'))}" for index in chosen]
    figure = figures.image_grid(pictures, titles, columns=2)
    report.add_figure("Progress", figure, "Above the sources, below what became of them.")
