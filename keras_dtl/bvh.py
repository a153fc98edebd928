"""Former name of what `keras_dtl.motion` holds; it goes with 0.4."""

import warnings

from keras_dtl.motion import *  # noqa: F403

warnings.warn(
    "keras_dtl.bvh is part of keras_dtl.motion; the former name goes with 0.4.",
    DeprecationWarning,
    stacklevel=2,
)
