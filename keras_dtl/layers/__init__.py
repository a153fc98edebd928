"""Layers that Keras lacks and deep transfer learning needs."""

from keras_dtl.layers.conditional_instance_normalization import ConditionalInstanceNormalization
from keras_dtl.layers.gradient_reversal import GradientReversal
from keras_dtl.layers.gram_matrix import GramMatrix
from keras_dtl.layers.instance_normalization import InstanceNormalization
from keras_dtl.layers.reflection_padding import ReflectionPadding2D
from keras_dtl.layers.to_pixels import ToPixels

__all__ = ["GradientReversal", "GramMatrix", "InstanceNormalization", "ReflectionPadding2D"]
__all__ += ["ConditionalInstanceNormalization", "ToPixels"]
