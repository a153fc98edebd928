"""Fit a recipe, score it, write its report and publish its artifact.

keras-dtl train dann --source digits --target digits_m
keras-dtl train --resume runs/dann
keras-dtl train --resume runs/dann --epochs 40
keras-dtl train --settings runs/dann/settings.json --seed 1 --output runs/dann-1
"""

import contextlib
import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Union

import tyro

from keras_dtl.cli.command import INTERRUPTED, PARTLY, SUCCESS, tell
from keras_dtl.cli.quiet import hear_onednn_out, import_tensorflow
from keras_dtl.cli.session import start_session
from keras_dtl.recipes import RECIPES, recipe_of_settings, run_recipe
from keras_dtl.recipes.flags import check_flags
from keras_dtl.recipes.runs import check_places
from keras_dtl.recipes.standing import tell_new
from keras_dtl.recipes.training import train_and_publish

Train = Union[  # noqa: UP007 (made from a table)
    tuple(Annotated[recipe, tyro.conf.subcommand(name)] for name, recipe in RECIPES.items())
]


def parse(words: Sequence[str], prog: str):
    """Return the recipe that a command line asks for.

    Args:
        words: What follows the verb: a recipe's name and flags; or `--resume`, a run folder, and
            the flags that shall differ from the run's settings; or `--settings`, a file that a
            run wrote, and the flags that shall differ, behind the recipe's name or without it.
        prog: Name of the command in its help.

    Raises:
        FileNotFoundError: When the folder to resume holds no run.
        ValueError: When its settings are damaged, or a flag lacks the folder or stands first.
    """
    if settings := _named_after("--settings", words):
        return _parse_with_settings(list(words), settings, prog)
    if not words or not words[0].startswith("-"):
        return tyro.cli(Train, args=words, prog=prog)
    if words[0] != "--resume" or len(words) < 2 or words[1].startswith("-"):
        raise ValueError(
            f"`{prog}` begins with the name of a recipe, with --resume RUN, the folder of a run, "
            f"or with --settings FILE. Received: {' '.join(words)}"
        )
    begun = dataclasses.replace(run_recipe(Path(words[1])), resume=True)
    return tyro.cli(type(begun), args=words[2:], default=begun, prog=f"{prog} --resume RUN")


def _named_after(flag: str, words: Sequence[str]) -> str | None:
    """Return what stands behind a flag, or `None`."""
    for place, word in enumerate(words):
        if word == flag and place + 1 < len(words):
            return words[place + 1]
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


def _parse_with_settings(words: list[str], settings: str, prog: str):
    """Return the recipe of a file of settings, with the flags that shall differ."""
    recipe = recipe_of_settings(Path(settings))
    if words and not words[0].startswith("-") and words.pop(0) != recipe.name:
        raise ValueError(
            f"{settings} holds settings of the recipe {recipe.name}. Give `{prog} {recipe.name} "
            f"--settings {shlex.quote(settings)}`, or leave the recipe out."
        )
    return tyro.cli(type(recipe), args=words, default=recipe, prog=f"{prog} {recipe.name}")


def main(recipe) -> int:
    """Train, score and publish a recipe; return the exit status."""
    check_flags(recipe)
    check_places(recipe.run_folder, recipe.artifact_folder)
    if recipe.address is not None and recipe.engine != "ray":
        raise ValueError(f"--address {recipe.address} is that of a Ray cluster: add --engine ray.")
    tell_new(recipe)
    if recipe.engine == "ray":
        from keras_dtl.cli.ray_training import train_on_ray

        return train_on_ray(recipe)
    return train_here(recipe)


def train_here(recipe) -> int:
    """Train in this process, which may be one worker of several; return the exit status.

    A worker does not return: it ends with the others, or at once when it fails.
    """
    import_tensorflow(recipe.onednn)
    from keras_dtl.distribution import find_cluster, finish, start_strategy, worker_count

    cluster = find_cluster(recipe.workers, recipe.worker)
    about = start_session(recipe.seed, recipe.mixed_precision, recipe.jit, recipe.onednn)
    strategy = start_strategy(recipe.devices, cluster, recipe.worker_timeout)
    hear_onednn_out()
    if worker_count(strategy) > 1:
        with Worker():
            print(f"{about}, worker {cluster.index} of {len(cluster.addresses)}", flush=True)
            status = SUCCESS if train_and_publish(recipe, strategy) else PARTLY
            return finish(status, strategy)
    print(about)
    try:
        return SUCCESS if train_and_publish(recipe, strategy) else PARTLY
    except KeyboardInterrupt:
        print(f"\nStopped. {recipe.run_folder} keeps the last whole epoch; --resume goes on.")
        return INTERRUPTED


class Worker(contextlib.AbstractContextManager):
    """Ends the process at once, with words and a status, when its body fails.

    An ordinary end would wait for the other workers, which wait for this one.
    """

    def __exit__(self, kind, error, trace):
        from keras_dtl.distribution import leave

        if error is not None:
            leave(tell(error))
