"""Fit a recipe, score it, write its report and publish its artifact.

keras-dtl train dann --source digits --target digits_m
"""

import contextlib
from typing import Annotated, Union

import tyro

from keras_dtl.cli.command import INTERRUPTED, SUCCESS, tell
from keras_dtl.cli.session import start_session
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.training import train_and_publish

Train = Union[  # noqa: UP007 (made from a table)
    tuple(Annotated[recipe, tyro.conf.subcommand(name)] for name, recipe in RECIPES.items())
]


def main(recipe) -> int:
    """Train, score and publish a recipe; return the exit status."""
    if recipe.engine == "ray":
        from keras_dtl.cli.ray_training import train_on_ray

        return train_on_ray(recipe)
    return train_here(recipe)


def train_here(recipe) -> int:
    """Train in this process, which may be one worker of several; return the exit status.

    A worker does not return: it ends with the others, or at once when it fails.
    """
    from keras_dtl.distribution import find_cluster, finish, start_strategy, worker_count

    cluster = find_cluster(recipe.workers, recipe.worker)
    about = start_session(recipe.seed, recipe.mixed_precision, recipe.jit)
    strategy = start_strategy(recipe.devices, cluster, recipe.worker_timeout)
    if worker_count(strategy) > 1:
        with Worker():
            print(f"{about}, worker {cluster.index} of {len(cluster.addresses)}", flush=True)
            train_and_publish(recipe, strategy)
            return finish(SUCCESS, strategy)
    print(about)
    try:
        train_and_publish(recipe, strategy)
    except KeyboardInterrupt:
        print(f"\nStopped. {recipe.run_folder} keeps the last whole epoch; --resume goes on.")
        return INTERRUPTED
    return SUCCESS


class Worker(contextlib.AbstractContextManager):
    """Ends the process at once, with words and a status, when its body fails.

    An ordinary end would wait for the other workers, which wait for this one.
    """

    def __exit__(self, kind, error, trace):
        from keras_dtl.distribution import leave

        if error is not None:
            leave(tell(error))
