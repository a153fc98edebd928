"""Layers that Keras lacks and deep transfer learning needs."""

from keras_dtl.layers.class_map import ClassMap
from keras_dtl.layers.conditional_instance_normalization import ConditionalInstanceNormalization
from keras_dtl.layers.coral_alignment import CORALAlignment, coral_matrix
from keras_dtl.layers.cosine_logits import CosineLogits
from keras_dtl.layers.gradient_reversal import GradientReversal
from keras_dtl.layers.gram_matrix import GramMatrix
from keras_dtl.layers.image_pool import ImagePool
from keras_dtl.layers.instance_normalization import InstanceNormalization
from keras_dtl.layers.reflection_padding import ReflectionPadding2D
from keras_dtl.layers.resize_like import ResizeLike
from keras_dtl.layers.to_pixels import ToPixels

__all__ = [
    "CORALAlignment",
    "ClassMap",
    "ConditionalInstanceNormalization",
    "CosineLogits",
    "GradientReversal",
    "GramMatrix",
    "ImagePool",
    "InstanceNormalization",
    "ReflectionPadding2D",
    "ResizeLike",
    "ToPixels",
    "coral_matrix",
]
