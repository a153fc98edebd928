"""Layers that Keras lacks and deep transfer learning needs."""

from keras_dtl.layers.coral_alignment import CORALAlignment, coral_matrix
from keras_dtl.layers.cosine_logits import CosineLogits
from keras_dtl.layers.gradient_reversal import GradientReversal
from keras_dtl.layers.gram_matrix import GramMatrix
from keras_dtl.layers.instance_normalization import InstanceNormalization
from keras_dtl.layers.reflection_padding import ReflectionPadding2D

__all__ = [
    "CORALAlignment",
    "CosineLogits",
    "GradientReversal",
    "GramMatrix",
    "InstanceNormalization",
    "ReflectionPadding2D",
    "coral_matrix",
]
