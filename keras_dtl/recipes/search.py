"""Methods and settings trained in turn, ranked without target labels; the best is published."""

import dataclasses
import itertools
import json

from keras_dtl.files import write_json
from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe
from keras_dtl.recipes.runs import read_object, run_model, run_scores

BASELINE = "source-only"
ORDER = ("source-only", "adabn", "mcc", "cdan", "dann", "adamatch", "deep-coral", "dan")
"""What is searched by default, as far as it is there; adabn is source-only with the target's
statistics of batch normalisation."""


def candidate_recipes(common, recipes, methods, rates, weights, folder):
    """Return `{name: recipe}`: each method with each setting, the baseline first.

    Args:
        common: `DomainAdaptationRecipe` whose fields all candidates share.
        recipes: `{name: recipe class}`.
        methods: Names, of which `adabn` is source-only with adapted statistics.
        rates: Learning rates.
        weights: Weights of adaptation, for methods that have one.
        folder: Where each candidate has its run folder.

    Raises:
        ValueError: When a method is unknown or compares no two domains.
    """
    unknown = [m for m in methods if not _is_searchable(recipes.get(_recipe_name(m)))]
    if unknown:
        known = ["adabn", *(n for n, r in recipes.items() if _is_searchable(r))]
        raise ValueError(
            f"Only methods of domain adaptation can be searched. Received: {', '.join(unknown)}. "
            f"There are: {', '.join(known)}."
        )
    found = {}
    for method in dict.fromkeys((BASELINE, *methods)):
        recipe = recipes[_recipe_name(method)]
        weighted = any(f.name == "adaptation_weight" for f in dataclasses.fields(recipe))
        for rate, weight in itertools.product(rates, weights if weighted else (None,)):
            name = f"{method} rate={rate:g}" + ("" if weight is None else f" weight={weight:g}")
            own = {} if weight is None else {"adaptation_weight": weight}
            own |= {"adapt_statistics": True} if method == "adabn" else {}
            found[name] = recipe(
                **_shared_settings(common, folder / name.replace(" ", "_"), rate), **own
            )
    return found


def _recipe_name(method):
    return "source-only" if method == "adabn" else method


def _is_searchable(recipe):
    return recipe is not None and issubclass(recipe, DomainAdaptationRecipe)


def _shared_settings(common, folder, rate):
    names = {field.name for field in dataclasses.fields(DomainAdaptationRecipe)}
    values = {name: getattr(common, name) for name in names}
    own = {"learning_rate": rate, "output": folder, "resume": True, "artifact": None}
    for name in ("adapt_statistics", "augment", "even_classes"):
        if values[name] == getattr(DomainAdaptationRecipe, name):
            del values[name]  # what each method does by default
    return {**values, **own}


def run_candidates(recipes, data, start):
    """Train each candidate that is not done, and return what each makes of the images.

    Args:
        recipes: `{name: recipe}`.
        data: `Domains` that all are trained on.
        start: Function of a recipe, called before each training, that sets seeds.

    Returns:
        `{name: Candidate}`, and `{name: accuracy}` on the target's test images where labelled.
    """
    from keras_dtl.recipes.training import train

    outputs, accuracies = {}, {}
    for name, recipe in recipes.items():
        folder = recipe.run_folder
        if not is_done(recipe):
            start(recipe)
            train(recipe, data)
        outputs[name] = candidate_of(run_model(folder), data, recipe.seed)
        scores = run_scores(recipe)
        if "target" in scores:
            accuracies[name] = scores["target"]["accuracy"]
    return outputs, accuracies


def is_done(recipe):
    """Return whether a run is finished.

    Raises:
        ValueError: When it was trained with other settings.
    """
    folder = recipe.run_folder
    if not (folder / "scores.json").exists() or (folder / "training.weights.h5").exists():
        return False
    begun = read_object(folder / "settings.json", "Remove the folder: the run is trained again.")
    now = json.loads(json.dumps(recipe.settings(), default=str))
    differing = sorted(key for key in now if now[key] != begun.get(key))
    if differing:
        raise ValueError(
            f"{folder}/settings.json tells of other settings ({', '.join(differing)}). Search "
            "with the same ones, or name another folder with --output."
        )
    return True


def candidate_of(model, data, seed):
    """Return the `Candidate` of a trained model, on as many images as validators look at."""
    from keras_dtl.evaluation import Candidate, Validation, outputs_of

    seen = Validation(data.source_train, data.source_test, data.target_train, seed=seed)
    parts = (seen.source_train, seen.source_test, seen.target_train)
    return Candidate(*(outputs_of(model, *part) for part in parts))


def write_ranking(folder, ranking, accuracies):
    """Write search.json: the ranking, and the regret of each way to choose where it is known.

    Returns:
        What it wrote.
    """
    from keras_dtl.evaluation import regrets

    rows = [{**row._asdict(), "target_accuracy": accuracies.get(row.name)} for row in ranking]
    result = {"winner": ranking[0].name, "ranking": rows}
    if len(accuracies) == len(ranking):
        result["regret"] = regrets(ranking, accuracies)
    write_json(folder / "search.json", result)
    return result
