"""A training whose workers are actors of a Ray cluster.

Plain actors that set TF_CONFIG and train as processes do, not Ray Train: it would add checkpoints,
reports and restarts of its own to those that a run folder has already. keras_dtl with the extra
`[train]` must be installed on each node, and data named by path must lie there.
"""

import dataclasses
import os
import socket
from pathlib import Path

from keras_dtl.cli.command import FAILED, INTERRUPTED, PARTLY, SUCCESS, tell

_SECONDS_TO_START = 600  # that a cluster without a free place may take to find one


def train_on_ray(recipe) -> int:
    """Train a recipe on the nodes of a Ray cluster; return the exit status.

    Args:
        recipe: The `Recipe`, whose `workers` says how many; by default one for each node.

    Raises:
        ValueError: There is no such cluster, it has no place, or `workers` is no number.
    """
    from keras_dtl.convert.engines.ray_cluster import connect

    ray = connect(recipe.address, log_to_driver=True)
    actors = _actors(ray, recipe)
    try:
        addresses = _placed(ray, actors)
        recipe, folder = _anywhere(recipe), str(Path.cwd())
        waiting = [
            actor.train.remote(recipe, addresses, index, folder)
            for index, actor in enumerate(actors)
        ]
        return _first_failure(ray, waiting)
    except KeyboardInterrupt:
        print(f"\nStopped. {recipe.run_folder} keeps the last whole epoch; --resume goes on.")
        return INTERRUPTED
    except ray.exceptions.RayTaskError as error:
        return tell(error.cause if isinstance(error.cause, Exception) else error)
    except ray.exceptions.RayError as error:
        print(f"error: a worker was lost ({type(error).__name__}); --resume goes on.")
        return FAILED
    finally:
        for actor in actors:
            ray.kill(actor)


def _first_failure(ray, waiting) -> int:
    """Return the exit status of the workers: the first of them that is no success.

    A worker that raises ends the wait at once: the others wait for it for ever.
    """
    statuses = []
    while waiting:
        done, waiting = ray.wait(waiting, num_returns=1)
        statuses += ray.get(done)
    return next((status for status in statuses if status != SUCCESS), SUCCESS)


def _actors(ray, recipe):
    """Return the actors, spread over the nodes, each with what its worker takes."""
    resources = ray.cluster_resources()
    nodes = sum(node["Alive"] for node in ray.nodes())
    workers = recipe.workers or str(nodes)
    if not workers.isdecimal() or int(workers) < 1:
        raise ValueError(
            f"With --engine ray, --workers is a number of 1 or more. Received: {workers!r}"
        )
    kind = "GPU" if resources.get("GPU") else "CPU"
    each = int(recipe.devices) if kind == "GPU" and recipe.devices.isdecimal() else 1
    if int(workers) * each > resources.get(kind, 0):
        raise ValueError(
            f"The Ray cluster has no place for {workers} workers of {each} {kind}; it has "
            f"{resources}. Ask for fewer --workers, or add nodes."
        )
    options = {"num_gpus": each, "num_cpus": 1} if kind == "GPU" else {"num_cpus": each}
    options |= {"max_restarts": 0, "scheduling_strategy": "SPREAD"}
    actor = ray.remote(**options)(TrainingWorker)
    return [actor.remote() for _ in range(int(workers))]


def _placed(ray, actors):
    """Return `HOST:PORT` of each actor, once all have their place."""
    try:
        return ray.get([actor.address.remote() for actor in actors], timeout=_SECONDS_TO_START)
    except ray.exceptions.GetTimeoutError as error:
        raise ValueError(
            f"The Ray cluster had no place for {len(actors)} workers in {_SECONDS_TO_START} "
            f"seconds; it has {ray.available_resources()} left."
        ) from error


def _anywhere(recipe):
    """Return a recipe whose folders are the same, whatever folder a worker runs in."""
    folders = {"output": recipe.run_folder, "artifact": recipe.artifact_folder}
    folders = {name: Path(path).absolute() for name, path in folders.items()}
    return dataclasses.replace(recipe, engine="processes", workers=None, **folders)


class TrainingWorker:
    """One worker of a training; the first writes, on the disk of its node."""

    def address(self):
        """Return where the others find this worker."""
        import ray

        with socket.create_server(("", 0)) as probe:
            return f"{ray.util.get_node_ip_address()}:{probe.getsockname()[1]}"

    def train(self, recipe, addresses, index, folder) -> int:
        """Do what `keras-dtl train` does in this worker's place; return its exit status.

        Args:
            recipe: The `Recipe`.
            addresses: `HOST:PORT` of each worker.
            index: Which of them this is.
            folder: Where the command was called: paths of data are meant from there.
        """
        from keras_dtl.cli.quiet import hear_onednn_out
        from keras_dtl.cli.session import start_session
        from keras_dtl.distribution import Cluster, start_strategy, wait_for_chief
        from keras_dtl.recipes.training import train_and_publish

        if Path(folder).is_dir():
            os.chdir(folder)
        cluster = Cluster(tuple(addresses), index)
        about = start_session(recipe.seed, recipe.mixed_precision, recipe.jit, recipe.onednn)
        strategy = start_strategy(recipe.devices, cluster, recipe.worker_timeout)
        hear_onednn_out()
        print(f"{about}, worker {index} of {len(addresses)}", flush=True)
        status = SUCCESS if train_and_publish(recipe, strategy) else PARTLY
        return wait_for_chief(status, strategy)
