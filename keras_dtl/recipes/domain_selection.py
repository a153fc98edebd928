"""Which epoch to publish: the best by a validator without target labels, or the last."""

import logging
from pathlib import Path

from keras_dtl.callbacks import KeepBest
from keras_dtl.evaluation.validation import ORACLE, accuracy, log_name
from keras_dtl.evaluation.validators import VALIDATORS

logger = logging.getLogger("keras_dtl")


def keepers(folder: Path) -> dict[str, KeepBest]:
    """Return the callback of every validator, and of the oracle, that keeps its best weights.

    Args:
        folder: Of the run.
    """
    return {
        name: KeepBest(folder / f"best_{name}.weights.h5", log_name(name))
        for name in (*VALIDATORS, ORACLE)
    }


def select_weights(recipe, model, data) -> dict:
    """Score every validator's choice on the target, and leave the chosen weights in the model.

    Args:
        recipe: The `DomainAdaptationRecipe`.
        model: The trained `DomainAdaptation`.
        data: The `Domains`.

    Returns:
        `{name: {"epoch", "value", "target_accuracy"}}` for the last epoch, every validator and
        the oracle, and `"published"`, which of them the model now holds.
    """
    kept = keepers(recipe.run_folder)
    best = {name: keeper.best() for name, keeper in kept.items() if keeper.best()}
    last = model.get_weights()
    choices = {"last": {"epoch": recipe.epochs, "target_accuracy": _accuracy(model, data)}}
    for name, found in best.items():
        kept[name].load_best(model)
        choices[name] = {**found._asdict(), "target_accuracy": _accuracy(model, data)}
    published = recipe.select if recipe.select in choices else "last"
    if published != recipe.select:
        logger.warning("No epoch has a number by %s: the last one is published.", recipe.select)
    if published == "last":
        model.set_weights(last)
    else:
        kept[published].load_best(model)
    return {"published": published, "choices": choices}


def _accuracy(model, data):
    return None if data.target_test is None else accuracy(model, data.target_test)
