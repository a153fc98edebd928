"""Which machines and devices train together, as TF_CONFIG or the command line says."""

import contextlib
import json
import os
import socket
from typing import NamedTuple

from keras_dtl.distribution.faults import wait_for_others

VARIABLE = "TF_CONFIG"
START_SECONDS = 300
"""How long the workers wait for each other at the start."""


class Cluster(NamedTuple):
    """The workers of a training, and which of them this process is."""

    addresses: tuple
    """`HOST:PORT` of each; the first is the chief."""
    index: int

    def to_tf_config(self):
        """Return the value of TF_CONFIG that says the same."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": list(self.addresses)}, "task": task})


def find_cluster(workers=None, worker=None):
    """Return the `Cluster` of the command line or, without one, of TF_CONFIG.

    Args:
        workers: `"HOST:PORT,HOST:PORT"`, the same on every machine, or None.
        worker: Which of them this process is, from 0. By default the one whose host is this
            machine.

    Returns:
        `Cluster`, or None where this process trains alone.

    Raises:
        ValueError: When either cannot be read, or does not say which worker this is.
    """
    if workers is None and worker is not None:
        raise ValueError(
            f"--worker says which of --workers this process is, and there are none. Received: "
            f"--worker {worker}. Give --workers HOST:PORT,HOST:PORT, too, or leave --worker out."
        )
    if workers is None:
        found = _from_variable(os.environ.get(VARIABLE))
        return found and _checked(found, VARIABLE)
    addresses = tuple(address.strip() for address in workers.split(",") if address.strip())
    place = _own_place(addresses) if worker is None else worker
    return _checked(Cluster(addresses, place), "--workers")


def _checked(cluster, name):
    """Return a cluster, of which each worker has an address of its own and this is one."""
    for address in cluster.addresses:
        host, _, port = str(address).rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise ValueError(f"{name} takes HOST:PORT of each worker. Received: {address!r}")
    if len(set(cluster.addresses)) < len(cluster.addresses):
        raise ValueError(
            f"{name} names a worker twice: {', '.join(cluster.addresses)}. Each has an address of "
            "its own; on one machine ports differ."
        )
    if not 0 <= cluster.index < len(cluster.addresses):
        raise ValueError(
            f"Of {len(cluster.addresses)} workers ({name}) this is one, 0 to "
            f"{len(cluster.addresses) - 1}. Received: {cluster.index}"
        )
    return cluster


def _from_variable(text):
    """Return the cluster that TF_CONFIG names, if it names any."""
    if not text:
        return None
    try:
        found = json.loads(text)
        jobs, task = found.get("cluster", {}), found.get("task", {})
        if not jobs:
            return None
        chiefs = list(jobs.get("chief", []))
        addresses = (*chiefs, *jobs.get("worker", []))
        index = task["index"] + (len(chiefs) if task["type"] == "worker" else 0)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{VARIABLE} cannot be read: {error!r}. Expected JSON such as "
            f"{Cluster(('a:2222', 'b:2222'), 0).to_tf_config()}. Received: {text}"
        ) from error
    others = set(jobs) - {"chief", "worker"}
    if others or task["type"] not in jobs:
        raise ValueError(
            f"{VARIABLE} may name a chief and workers alone: all of them train. Received: "
            f"jobs {sorted(jobs)}, task {task}"
        )
    return Cluster(addresses, index)


def _own_place(addresses):
    """Return the one address whose host is this machine."""
    names = _own_names()
    own = [i for i, address in enumerate(addresses) if address.rpartition(":")[0] in names]
    if len(own) != 1:
        raise ValueError(
            f"{len(own)} of --workers {','.join(addresses)} are this machine ({', '.join(names)}). "
            "Say which one this process is with --worker, from 0."
        )
    return own[0]


def _own_names():
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), socket.getfqdn()]
    with contextlib.suppress(OSError):  # a machine without a name in the network
        names += socket.gethostbyname_ex(socket.gethostname())[2]
    return list(dict.fromkeys(names))


def start_strategy(devices="1", cluster=None, seconds=START_SECONDS):
    """Return the strategy of a training; call it before the first tensor is made.

    Args:
        devices: Replicas on this machine: a number, or `"all"` its GPUs. Without a GPU the
            processor is shared by so many replicas, which only serves to try things out.
        cluster: `Cluster`, or None for this machine alone.
        seconds: How long workers wait for each other.

    Returns:
        `tf.distribute.Strategy`: the default one where one device trains alone.

    Raises:
        ValueError: When there are not so many devices.
        TimeoutError: When another worker does not answer in time.
    """
    import tensorflow as tf

    names = _devices(devices)
    if cluster is not None and len(cluster.addresses) > 1:
        if find_cluster() != cluster:
            os.environ[VARIABLE] = cluster.to_tf_config()
        wait_for_others(cluster, seconds)
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.MirroredStrategy(names) if len(names) > 1 else tf.distribute.get_strategy()


def _devices(devices):
    """Return the names of the devices that are used, and hide the others."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if devices == "all":
        count = max(1, len(gpus))
    elif devices.isdecimal() and int(devices) > 0:
        count = int(devices)
    else:
        raise ValueError(f"--devices takes a number of 1 or more, or all. Received: {devices!r}")
    if gpus and count > len(gpus):
        raise ValueError(f"--devices {devices}: this machine has {len(gpus)} GPU(s).")
    if gpus:
        tf.config.set_visible_devices(gpus[:count], "GPU")
    elif count > 1:
        processor = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * count
        tf.config.set_logical_device_configuration(processor, parts)
    return [f"{'GPU' if gpus else 'CPU'}:{number}" for number in range(count)]
