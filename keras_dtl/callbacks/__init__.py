"""Callbacks for `fit`: schedules over the whole training, resumable checkpoints, alarms."""

from keras_dtl.callbacks.checkpoint import Checkpoint
from keras_dtl.callbacks.divergence import StopWhenDiverged, TrainingDiverged
from keras_dtl.callbacks.failure_watch import FailureWatch
from keras_dtl.callbacks.failures import Failure
from keras_dtl.callbacks.gradual_unfreezing import GradualUnfreezing
from keras_dtl.callbacks.keep_best import KeepBest
from keras_dtl.callbacks.local_model import LocalModel
from keras_dtl.callbacks.measure import Alarm, Measure
from keras_dtl.callbacks.progress_images import ProgressImages
from keras_dtl.callbacks.progress_schedule import ProgressSchedule
from keras_dtl.callbacks.refresh import Refresh
from keras_dtl.callbacks.schedules import (
    constant,
    cosine_decay,
    half_cosine_rise,
    inverse_decay,
    linear_decay,
    reversal_ramp,
    warm_up,
)
from keras_dtl.callbacks.trackers import TRACKERS, Tracker, make_trackers
from keras_dtl.callbacks.watch import Watch

__all__ = [
    "TRACKERS",
    "Alarm",
    "Checkpoint",
    "Failure",
    "FailureWatch",
    "GradualUnfreezing",
    "KeepBest",
    "LocalModel",
    "Measure",
    "ProgressImages",
    "ProgressSchedule",
    "Refresh",
    "StopWhenDiverged",
    "Tracker",
    "TrainingDiverged",
    "Watch",
    "constant",
    "cosine_decay",
    "half_cosine_rise",
    "inverse_decay",
    "linear_decay",
    "make_trackers",
    "reversal_ramp",
    "warm_up",
]
