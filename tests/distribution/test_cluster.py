import concurrent.futures
import json
import socket
import threading
import time

import pytest

from keras_dtl.distribution import Cluster, find_cluster, start_strategy
from keras_dtl.distribution.faults import WorkerLost, wait_for_others, worker_faults
from tests.distribution.processes import free_addresses


def tf_config(jobs, kind="worker", index=1):
    return json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}})


def test_cluster_of_the_command_line():
    cluster = find_cluster("a.example:2222, b.example:2223", 1)
    assert cluster == Cluster(("a.example:2222", "b.example:2223"), 1)
    assert find_cluster("a.example:2222,localhost:2223").index == 1  # the one that is here
    found = json.loads(cluster.to_tf_config())
    assert found["cluster"] == {"worker": ["a.example:2222", "b.example:2223"]}
    assert found["task"] == {"type": "worker", "index": 1}


def test_cluster_of_the_variable(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert find_cluster() is None
    monkeypatch.setenv("TF_CONFIG", "{}")
    assert find_cluster() is None
    monkeypatch.setenv("TF_CONFIG", tf_config({"worker": ["a:1", "b:2"]}))
    assert find_cluster() == Cluster(("a:1", "b:2"), 1)
    monkeypatch.setenv("TF_CONFIG", tf_config({"chief": ["a:1"], "worker": ["b:2", "c:3"]}))
    assert find_cluster() == Cluster(("a:1", "b:2", "c:3"), 2)


@pytest.mark.parametrize(
    ("workers", "worker", "message"),
    [
        ("a.example", 0, "HOST:PORT"),
        ("a.example:port", 0, "HOST:PORT"),
        ("a.example:0,b.example:1", 0, "HOST:PORT"),
        ("a.example:1,b.example:70000", 0, "HOST:PORT"),
        ("a.example:1,b.example:2", 2, "0 to 1"),
        ("a.example:1,a.example:1", 0, "a worker twice"),
        (None, 1, "--worker 1. Give --workers"),
        ("a.example:1,b.example:2", None, "--worker"),
        ("localhost:1,127.0.0.1:2", None, "2 of --workers"),
    ],
)
def test_unusable_workers_are_refused(workers, worker, message):
    with pytest.raises(ValueError, match=message):
        find_cluster(workers, worker)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no json", "cannot be read"),
        ('{"cluster": {"worker": ["a:1"]}}', "cannot be read"),
        (tf_config({"worker": ["a:1", "b:2"]}, index=2), "0 to 1"),
        (tf_config({"worker": ["a", "b:2"]}), "HOST:PORT"),
        (tf_config({"worker": ["a:1", "a:1"]}), "a worker twice"),
        (tf_config({"worker": ["a:1"], "ps": ["b:2"]}), "may name a chief and workers alone"),
        (tf_config({"worker": ["a:1"]}, "evaluator"), "may name a chief and workers alone"),
    ],
)
def test_unusable_variables_are_refused(monkeypatch, value, message):
    monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(ValueError, match=message):
        find_cluster()


@pytest.mark.parametrize("devices", ["0", "two", "-1"])
def test_unusable_numbers_of_devices_are_refused(devices):
    with pytest.raises(ValueError, match="--devices"):
        start_strategy(devices)


def test_workers_find_each_other_whoever_comes_first():
    addresses = tuple(free_addresses(3))
    done = threading.Event()

    def work(index):
        wait_for_others(Cluster(addresses, index), 20)
        port = int(addresses[index].rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)):  # as TensorFlow's does from then on
            done.wait(20)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        begun = []
        for index in (2, 0, 1):
            begun.append(pool.submit(work, index))
            time.sleep(0.15)
        assert not any(worker.done() for worker in begun)  # found, or still looking
        time.sleep(0.5)
        done.set()
        for worker in begun:
            worker.result(timeout=20)


def test_who_waits_in_vain_is_told_for_whom():
    address, silent = free_addresses()
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=f"0.3 seconds worker 0 of 2.*do not answer: {silent}."):
        wait_for_others(Cluster((address, silent), 0), 0.3)
    assert time.monotonic() - began < 5


def test_what_tensorflow_says_of_a_lost_worker_becomes_words():
    import tensorflow as tf

    with pytest.raises(WorkerLost, match="--resume.*Socket closed"), worker_faults():
        raise tf.errors.UnavailableError(None, None, "Collective ops is aborted by: Socket closed")
    with pytest.raises(tf.errors.InvalidArgumentError), worker_faults():
        raise tf.errors.InvalidArgumentError(None, None, "shapes differ")
