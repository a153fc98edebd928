"""What all workers must know alike: the chief tells the others, who may have no disk in common."""

import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_dtl.distribution.faults import WorkerLost, leave, worker_faults

_WORD = 8  # bytes of an integer, as which files travel


def worker_count(strategy):
    """Return how many processes share a strategy."""
    return sum(len(addresses) for addresses in _jobs(strategy).values()) or 1


def is_chief(strategy=None):
    """Return whether this process writes: the first worker, or the only one."""
    strategy = strategy or tf.distribute.get_strategy()
    if worker_count(strategy) == 1:
        return True
    task = strategy.cluster_resolver
    return task.task_id == 0 and task.task_type == (
        "chief" if "chief" in _jobs(strategy) else "worker"
    )


def _jobs(strategy):
    resolver = strategy.cluster_resolver
    return {} if resolver is None else resolver.cluster_spec().as_dict()


def bytes_of_chief(data, strategy):
    """Return the chief's bytes on every worker; what the others pass is not looked at."""
    if worker_count(strategy) == 1:
        return data
    chief = is_chief(strategy)
    length = int(_sum(strategy, np.int64(len(data) if chief else 0)))
    words = np.zeros(-(-length // _WORD), "int64")
    if chief:
        words.view("uint8")[:length] = np.frombuffer(data, "uint8")
    return _sum(strategy, words).view("uint8")[:length].tobytes() if length else b""


def value_of_chief(value, strategy):
    """Return the chief's value, of JSON's kinds, on every worker."""
    return json.loads(bytes_of_chief(json.dumps(value).encode(), strategy))


@contextlib.contextmanager
def file_of_chief(path, strategy):
    """Give every worker the chief's file.

    Args:
        path: The file on the chief's disk, which need not be there.
        strategy: Of the training.

    Yields:
        Path of the file, or of a copy that is removed at the end; None where the chief has none.
    """
    path = Path(path)
    if worker_count(strategy) == 1:
        yield path if path.exists() else None
        return
    if not value_of_chief(path.exists(), strategy):
        yield None
        return
    content = bytes_of_chief(path.read_bytes() if is_chief(strategy) else b"", strategy)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(content)
        yield copy


def finish(status, strategy):
    """End all workers of a strategy, which wait here for the chief, with the chief's status."""
    leave(wait_for_chief(status, strategy))


def wait_for_chief(status, strategy):
    """Return the chief's status once all workers have come here."""
    status = value_of_chief(status, strategy)
    # Who leaves cuts off those that still wait for the status: nobody does before all know it.
    # Then somebody is the first to leave, and is not missed.
    with contextlib.suppress(WorkerLost):
        value_of_chief(None, strategy)
    return status


def _sum(strategy, value):
    """Return the sum of an array that the workers hold, counted once for each worker."""
    with worker_faults():
        result = _all_reduce(strategy, tf.constant(value))
    return strategy.experimental_local_results(result)[0].numpy()


@tf.function(reduce_retracing=True)
def _all_reduce(strategy, value):
    def of_replica(value):
        replica = tf.distribute.get_replica_context()
        first = replica.replica_id_in_sync_group == 0
        own = value * tf.cast(first, value.dtype)
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, own)

    return strategy.run(of_replica, args=(value,))
