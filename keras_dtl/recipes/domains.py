"""The data of an adaptation: two domains in the classes of one, samples and shots drawn."""

import logging
from typing import NamedTuple

logger = logging.getLogger("keras_dtl")


class Domains(NamedTuple):
    """The `LabelledImages` of an adaptation; test sets are None where labels are missing."""

    source_train: object
    target_train: object
    source_test: object
    target_test: object
    target_labelled: object = None
    """The few target images whose labels are learnt; then `target_train` holds the others."""


def load_domains(recipe) -> Domains:
    """Return the data that a recipe of domain adaptation names.

    Args:
        recipe: The `DomainAdaptationRecipe`.

    Raises:
        ValueError: The source has no labels, the domains have other classes or images, or
            validators are asked for and the source has no labelled test split.
    """
    from keras_dtl.data import check_same_classes, load, renumber, require_classes
    from keras_dtl.recipes.runs import in_classes_of_run

    places = {"data_dir": recipe.data_dir, "manual_dir": recipe.manual_dir}
    source = load(recipe.source, "train", image_size=recipe.image_size, channels=3, **places)
    require_classes(source)
    places |= {"image_size": source.image_shape[:2], "channels": 3}
    target = load(recipe.target, "train", **places)
    check_same_classes(source, target)
    target_test = None if target.labels is None else load(recipe.target, "test", **places)
    source_test = load(recipe.source, "test", **places)
    source = in_classes_of_run(source, recipe.start)
    target, source_test, target_test = (
        part and renumber(part, source.classes) for part in (target, source_test, target_test)
    )
    # Tests without labels, of which loading has told, score nothing.
    source_test, target_test = (
        None if part is None or part.labels is None else part for part in (source_test, target_test)
    )
    if source_test is None and (recipe.validators or recipe.select != "last"):
        raise ValueError("Validators need a labelled test split of the source.")
    source = _sample(source, recipe.source_size, recipe.seed)
    _tell_missing(source, recipe.source_size)
    target = _sample(target, recipe.target_size, recipe.seed)
    target, labelled = _split_shots(target, recipe.shots, recipe.seed)
    return Domains(source, target, source_test, target_test, labelled)


def _sample(examples, size, seed):
    from keras_dtl.data.splits import sample

    return examples if size is None else examples.subset(sample(len(examples), size, seed))


def _tell_missing(source, size):
    """Tell of which classes a sample of the source holds no image to learn from."""
    shown = set(source.labels.tolist())
    missing = [name for label, name in enumerate(source.classes) if label not in shown]
    if missing and size is not None:
        logger.warning(
            "--source-size %d leaves no image of %s to learn from. Ask for more, or take another "
            "--seed.",
            *(size, ", ".join(missing)),
        )


def _split_shots(target, shots, seed):
    """Return the target images without known labels, and those with, or None."""
    from keras_dtl.data import require_classes
    from keras_dtl.data.splits import shot_split

    if not shots:
        return target, None
    require_classes(target)
    chosen, rest = shot_split(target.labels, shots, seed, target.classes)
    return target.subset(rest), target.subset(chosen)
