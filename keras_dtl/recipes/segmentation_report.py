"""The report of a segmenter: images with their true and predicted classes, and IoU by class."""

import numpy as np

from keras_dtl.evaluation import Report, evaluate_segmenter, figures, overlay
from keras_dtl.prediction import predict

SHOWN = 4
"""How many images the report shows."""


def segmentation_report(recipe, model, data, history: dict, scores: dict):
    """Return the `Report` of a trained segmenter.

    Args:
        recipe: The `SegmentationRecipe`.
        model, data, history, scores: As for `Recipe.report`.
    """
    report = Report(
        f"{recipe.name}: {recipe.source} to {recipe.target}",
        f"{recipe.method}, {recipe.length}, seed {recipe.seed}. Masks of the "
        f"{recipe.labels_from} were learnt; {len(data.target_test)} target images are scored.",
        recipe.printed_headline(scores),
    )
    report.add_figure("Training", figures.curves(history), "Mean over each epoch's steps.")
    test = data.target_test
    few = test.subset([round(i) for i in even_positions(len(test), SHOWN)])
    rows = [few.images]
    rows += [overlay(few.images, maps, few.colors) for maps in (few.labels, answers(model, few))]
    grid = [image for images in rows for image in images]
    caption = "Target images; below them the true classes, then the predicted ones."
    report.add_figure("Classes", figures.image_grid(grid, columns=len(few)), caption)
    legend = figures.color_legend(test.classes, test.colors)
    report.add_figure("Classes", legend, "Colours of the classes; what has none is void.")
    add_class_scores(report, data, scores["target"])
    report.add_table("Settings", recipe.settings(), collapsed=True)
    return report


def add_class_scores(report, data, scores: dict) -> None:
    """Tell the IoU of each class, beside a segmenter that gives all pixels the commonest class.

    Args:
        report: The `Report`.
        data: The `Scenes`.
        scores: Those of the target.
    """
    test, (commonest, guess) = data.target_test, guessing(data)
    rows = [
        {"class": name, "IoU": value, "of guessing": baseline}
        for (name, value), baseline in zip(
            scores["iou"].items(), guess.to_dict()["iou"].values(), strict=True
        )
    ]
    means = {"class": "mean", "IoU": scores["mean_iou"], "of guessing": guess.mean_iou}
    report.add_table("IoU of each class", [*rows, means])
    report.add_text(
        "IoU of each class",
        "Intersection over union, from 0 to 1: the pixels that are of the class and were found, of "
        "those that are of it or were found. Guessing gives each pixel the commonest class of the "
        f"masks that were learnt, {test.classes[commonest]}.",
    )


def guessing(data) -> tuple[int, object]:
    """Return the commonest class of the masks that are learnt, and the scores of it alone.

    Args:
        data: The `Scenes`.
    """
    test = data.target_test
    counts = np.bincount(data.source_train.labels.ravel(), minlength=256)[: len(test.classes)]
    commonest = int(counts.argmax())
    everywhere = np.full_like(test.labels, commonest)
    return commonest, evaluate_segmenter(everywhere, test.labels, test.classes)


def answers(model, examples) -> np.ndarray:
    """Return the class maps that a model gives of images, `(examples, height, width)`.

    Args:
        model: The `Method` that was trained.
        examples: `SegmentedImages`.
    """
    return predict(model.deployable(), examples.images, batch_size=4)


def even_positions(count: int, most: int) -> list[float]:
    """Return positions that are evenly spread over a list.

    Args:
        count: Length of the list.
        most: How many positions, or `count` where that is less.
    """
    most = min(count, most)
    return [(2 * place + 1) * count / (2 * most) - 0.5 for place in range(most)]
