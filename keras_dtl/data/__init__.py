"""Named data sets and folders of images, and the batches that methods train on."""

from keras_dtl.data.batches import (
    domain_batches,
    endless_arrays,
    endless_batches,
    ordered_batches,
    steps_per_epoch,
)
from keras_dtl.data.catalogue import load
from keras_dtl.data.clips import split_clips
from keras_dtl.data.fourier import fourier_adaptation
from keras_dtl.data.labelled import LabelledImages, check_same_classes, renumber, require_classes
from keras_dtl.data.motion import load_motion, statistics_of, windows_of
from keras_dtl.data.pairs import ImagePairs, load_pairs
from keras_dtl.data.translation import jitter, load_domain, paired_batches, unpaired_batches
from keras_dtl.data.views import hold_out_classes, view_batches
from keras_dtl.renamed import former_names

__all__ = [
    "ImagePairs",
    "LabelledImages",
    "check_same_classes",
    "domain_batches",
    "endless_arrays",
    "endless_batches",
    "fourier_adaptation",
    "hold_out_classes",
    "jitter",
    "load",
    "load_domain",
    "load_motion",
    "load_pairs",
    "ordered_batches",
    "paired_batches",
    "renumber",
    "require_classes",
    "split_clips",
    "statistics_of",
    "steps_per_epoch",
    "unpaired_batches",
    "view_batches",
    "windows_of",
]

__getattr__ = former_names(__name__, {"endless": "endless_batches", "in_order": "ordered_batches"})
