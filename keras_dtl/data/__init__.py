"""Named data sets and folders of images, and the batches that methods train on."""

from keras_dtl.data.batches import (
    domain_batches,
    endless,
    endless_arrays,
    in_order,
    steps_per_epoch,
)
from keras_dtl.data.catalogue import load
from keras_dtl.data.labelled import LabelledImages, check_same_classes, require_classes

__all__ = [
    "LabelledImages",
    "check_same_classes",
    "domain_batches",
    "endless",
    "endless_arrays",
    "in_order",
    "load",
    "require_classes",
    "steps_per_epoch",
]
