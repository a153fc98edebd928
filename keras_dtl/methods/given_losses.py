"""Losses, metrics and validation that are given to a method whose losses are its own."""

GIVEN = ("loss", "loss_weights", "metrics", "weighted_metrics")
"""Arguments of `keras.Model.compile` after the optimizer, in their order."""


def refuse_losses(model, arguments, keywords) -> None:
    """Refuse a loss or metrics, which would compare what networks make with unscaled images.

    Args:
        model: The method.
        arguments, keywords: Of `compile`, after the optimizer.

    Raises:
        ValueError: Naming them, and where the weights of the losses belong.
    """
    values = {**dict(zip(GIVEN, arguments, strict=False)), **keywords}
    given = [name for name in GIVEN if values.get(name)]
    if given:
        words = ", ".join(f"{name}={values[name]!r}" for name in given)
        raise ValueError(
            f"{type(model).__name__} minimises the losses of its paper, which its constructor "
            f"weighs: compile() takes no loss and no metrics. Received: {words}. `fit` logs each "
            f"term by its name: {', '.join(model.tracked)}."
        )


def refuse_validation(model, given: dict) -> None:
    """Refuse data for validation, and weights, before the training begins.

    Args:
        model: The method.
        given: Arguments of `keras.Model.fit` by name.

    Raises:
        NotImplementedError: When there are data for validation.
        ValueError: When classes or examples are weighed, which no loss heeds.
    """
    if given.get("validation_data") is not None or given.get("validation_split"):
        raise NotImplementedError(nothing_to_evaluate(model))
    for name in ("class_weight", "sample_weight"):
        if given.get(name) is not None:
            raise ValueError(
                f"{type(model).__name__}.fit() takes no `{name}`: its losses are means over the "
                "batch. Show what shall count more more often, in the batches."
            )


def nothing_to_evaluate(model) -> str:
    """Return in words why a method cannot be evaluated, and what does instead.

    Args:
        model: The method.
    """
    return (
        f"{type(model).__name__} has no loss to evaluate, so `evaluate`, `validation_data` and "
        "`validation_split` mean nothing to it: its terms hold for a step of training alone. "
        "Score what `predict` or `deployable()` gives: keras_dtl.evaluation has measures, and "
        "keras_dtl.callbacks.Measure takes them in the course of a training."
    )
