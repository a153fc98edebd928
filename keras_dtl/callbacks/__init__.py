"""Callbacks for `fit`: schedules over the whole training, resumable checkpoints, alarms."""

from keras_dtl.callbacks.checkpoint import Checkpoint
from keras_dtl.callbacks.divergence import StopWhenDiverged, TrainingDiverged
from keras_dtl.callbacks.failure_watch import Failure, FailureWatch
from keras_dtl.callbacks.gradual_unfreezing import GradualUnfreezing
from keras_dtl.callbacks.keep_best import KeepBest
from keras_dtl.callbacks.measure import Alarm, Measure
from keras_dtl.callbacks.progress_images import ProgressImages
from keras_dtl.callbacks.progress_schedule import ProgressSchedule
from keras_dtl.callbacks.schedules import (
    constant,
    cosine_decay,
    inverse_decay,
    linear_decay,
    reversal_ramp,
    warm_up,
)

__all__ = [
    "Alarm",
    "Checkpoint",
    "Failure",
    "FailureWatch",
    "GradualUnfreezing",
    "KeepBest",
    "Measure",
    "ProgressImages",
    "ProgressSchedule",
    "StopWhenDiverged",
    "TrainingDiverged",
    "constant",
    "cosine_decay",
    "inverse_decay",
    "linear_decay",
    "reversal_ramp",
    "warm_up",
]
