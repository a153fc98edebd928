"""The report of a domain adaptation: curves, images, confusions, and features before and after."""

import numpy as np

from keras_dtl.evaluation import (
    Report,
    choose_indices,
    diagnose_domain_classifier,
    figures,
    proxy_a_distance,
    tsne,
)
from keras_dtl.prediction import predict
from keras_dtl.recipes.runs import read_object

POINTS = 300
"""How many images of each domain t-SNE lays out."""
EXAMPLES = 16
"""How many images of each domain are shown."""


def domain_report(
    recipe,
    model,
    data,
    history: dict,
    scores: dict,
    before: tuple | None = None,
    comparison: dict | None = None,
) -> Report:
    """Tell what a training did in one page.

    Args:
        recipe: The `DomainAdaptationRecipe`.
        model: The trained `DomainAdaptation`.
        data: The `Domains` it was trained and scored on.
        history: Logs, `{name: [a value an epoch]}`.
        scores: What `recipe.score` returned.
        before: `(words, model)` whose features are laid out beside; the untrained network by
            default.
        comparison: `{method: accuracy on the target's test split}` to draw beside each other.

    Returns:
        `keras_dtl.evaluation.Report`.
    """
    report = Report(
        f"{recipe.name}: {recipe.source} to {recipe.target}",
        f"{recipe.length}, seed {recipe.seed}. {_use_of_labels(recipe)}",
        recipe.printed_headline(scores),
    )
    if comparison:
        report.add_figure(
            "Comparison", figures.bars(comparison, emphasized=recipe.name), "Same network and data."
        )
    before = before or ("before training", untrained_model(recipe, data))
    parts = sample_images(data)
    features = {
        words: [predict(m.encoder, p.images) for p in parts]
        for words, m in (before, (f"after {recipe.name}", model))
    }
    distances = {words: proxy_a_distance(*domains) for words, domains in features.items()}
    add_training(report, history, distances[f"after {recipe.name}"])
    add_selection(report, recipe)
    add_images(report, data)
    add_confusion(report, scores)
    add_per_class(report, scores)
    add_features(report, features, parts, distances)
    report.add_table("Settings", recipe.settings(), collapsed=True)
    return report


def _use_of_labels(recipe):
    if recipe.shots:
        return f"{recipe.shots} target labels of each class were learnt, the others scored with."
    return "Target labels served for scoring alone."


def untrained_model(recipe, data):
    """Return the model of a recipe as its training began.

    Args:
        recipe: The `DomainAdaptationRecipe`.
        data: The `Domains`.
    """
    import keras

    keras.utils.set_random_seed(recipe.seed)
    return recipe.build_model(data)


def add_training(report, history: dict, distance: float | None = None) -> None:
    """Draw the curves, and say in words what a domain classifier went through, if there is one.

    Args:
        report: The `Report`.
        history: Logs, `{name: [a value an epoch]}`.
        distance: `proxy_a_distance` of the final features in 0..2, where it is known.
    """
    report.add_figure("Training", figures.curves(history), "Mean over each epoch's steps.")
    if "domain_accuracy" in history:
        diagnosis = diagnose_domain_classifier(
            history["domain_accuracy"], history["label_loss"], proxy_distance=distance
        )
        kind = "note" if diagnosis.healthy else "warning"
        report.add_text("Training", str(diagnosis), kind=kind)


def add_selection(report, recipe) -> None:
    """Tell which epoch each validator would have chosen, and apart what the oracle would.

    Args:
        report: The `Report`.
        recipe: The recipe, whose run folder may hold selection.json.
    """
    path = recipe.run_folder / "selection.json"
    if not path.is_file():
        return
    selection = read_object(path, "Train again.")
    choices = dict(selection["choices"])
    oracle = choices.pop("oracle", None)
    rows = [
        {"chosen by": name, "epoch": choice["epoch"], "score": choice.get("value")}
        | {"accuracy on the target": choice["target_accuracy"]}
        for name, choice in choices.items()
    ]
    report.add_table("Selection", rows)
    words = f"Published: {selection['published']}. None of these saw a target label. "
    if oracle:
        words += (
            f"The oracle, who chooses by target labels, would have taken epoch {oracle['epoch']} "
            f"with {oracle['target_accuracy']:.1%}: a bound, not a result."
        )
    report.add_text("Selection", words, kind="note")


def add_distance(report, distances: dict) -> None:
    """Tell how well a linear classifier tells the domains apart.

    Args:
        report: The `Report`.
        distances: `{words: proxy A-distance in 0..2}`.
    """
    rows = [{"features": words, "proxy A-distance": d} for words, d in distances.items()]
    report.add_table("Features", rows)
    report.add_text(
        "Features",
        "Proxy A-distance: 0 when a linear classifier cannot tell source from target by these "
        "features, 2 when it always can. Low alone is no success: features that forgot the classes "
        "are alike too.",
    )


def add_images(report, data) -> None:
    """Show training images of both domains.

    Args:
        report: The `Report`.
        data: The `Domains`.
    """
    for name, images in (("Source", data.source_train), ("Target", data.target_train)):
        add_labelled_images(report, f"{name} domain.", images)


def add_labelled_images(report, caption: str, images) -> None:
    """Show a few images with the names of their classes, where these are known.

    Args:
        report: The `Report`.
        caption: What they are.
        images: `LabelledImages`.
    """
    chosen = images.subset(choose_indices(len(images), EXAMPLES))
    titles = None
    if chosen.labels is not None:
        titles = [chosen.classes[label] for label in chosen.labels]
    report.add_figure("Images", figures.image_grid(chosen.images, titles), caption)


def add_confusion(report, scores: dict) -> None:
    """Draw the confusion matrix of each domain.

    Args:
        report: The `Report`.
        scores: `{domain: ClassificationScores as a dictionary}`.
    """
    for domain, score in scores.items():
        figure = figures.confusion_matrix(np.array(score["confusion"]), score["classes"])
        caption = (
            f"Test split of the {domain}, {score['count']} images: rows are true classes, columns "
            "predicted ones."
        )
        report.add_figure("Confusion", figure, caption)


def add_per_class(report, scores: dict) -> None:
    """Tell the accuracy within each true class, both domains side by side.

    Args:
        report: The `Report`.
        scores: `{domain: ClassificationScores as a dictionary}`.
    """
    accuracies = {domain: score["per_class_accuracy"] for domain, score in scores.items()}
    names = next(iter(accuracies.values()))
    rows = [{"class": n, **{domain: a[n] for domain, a in accuracies.items()}} for n in names]
    means = {domain: score["mean_class_accuracy"] for domain, score in scores.items()}
    report.add_table("Accuracy of each class", [*rows, {"class": "mean", **means}])


def sample_images(data) -> list:
    """Return a few training images of both domains, as `LabelledImages`.

    Args:
        data: The `Domains`.
    """
    return [
        images.subset(choose_indices(len(images), POINTS))
        for images in (data.source_train, data.target_train)
    ]


def add_features(report, features: dict, parts: list, distances: dict) -> None:
    """Lay out the features of both domains.

    Args:
        report: The `Report`.
        features: `{words: (source's, target's)}`, arrays `(examples, ...)`.
        parts: `LabelledImages` of source and target that they are of.
        distances: `{words: proxy A-distance in 0..2}`.
    """
    panels = {words: tsne(np.concatenate(domains)) for words, domains in features.items()}
    unknown = np.full(len(parts[1]), -1)
    target_labels = unknown if parts[1].labels is None else parts[1].labels
    labels = np.concatenate([parts[0].labels, target_labels])
    domains = np.repeat(["source", "target"], [len(part) for part in parts])
    figure = figures.embedding_scatter(panels, labels, domains, parts[0].classes)
    report.add_figure("Features", figure, "t-SNE of the encoder's output on training images.")
    add_distance(report, distances)
