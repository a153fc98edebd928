"""Training on several devices and machines, for any Keras model with a `train_step` of its own."""

from keras_dtl.distribution.agreement import (
    file_of_chief,
    finish,
    is_chief,
    value_of_chief,
    wait_for_chief,
    worker_count,
)
from keras_dtl.distribution.batches import share_batches
from keras_dtl.distribution.cluster import START_SECONDS, Cluster, find_cluster, start_strategy
from keras_dtl.distribution.faults import LOST_SECONDS, WorkerLost, leave
from keras_dtl.distribution.replicas import add_up, draw, gather, mean, replica_count, roll
from keras_dtl.distribution.steps import ReplicatedSteps

__all__ = [
    "LOST_SECONDS",
    "START_SECONDS",
    "Cluster",
    "ReplicatedSteps",
    "WorkerLost",
    "add_up",
    "draw",
    "file_of_chief",
    "find_cluster",
    "finish",
    "gather",
    "is_chief",
    "leave",
    "mean",
    "replica_count",
    "roll",
    "share_batches",
    "start_strategy",
    "value_of_chief",
    "wait_for_chief",
    "worker_count",
]
