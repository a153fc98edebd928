"""Layers that Keras lacks and deep transfer learning needs."""

from keras_dtl.layers.adaptive_instance_normalization import AdaptiveInstanceNormalization
from keras_dtl.layers.answer import POSTPROCESSINGS, Answer, answer_of
from keras_dtl.layers.class_map import ClassMap
from keras_dtl.layers.class_mixture import ClassMixture
from keras_dtl.layers.conditional_instance_normalization import ConditionalInstanceNormalization
from keras_dtl.layers.coral_alignment import CORALAlignment, coral_matrix
from keras_dtl.layers.cosine_logits import CosineLogits
from keras_dtl.layers.fixed_code import FixedCode
from keras_dtl.layers.from_pixels import from_pixels
from keras_dtl.layers.gradient_reversal import GradientReversal
from keras_dtl.layers.gram_matrix import GramMatrix
from keras_dtl.layers.image_pool import ImagePool
from keras_dtl.layers.instance_normalization import InstanceNormalization
from keras_dtl.layers.join_code import JoinCode
from keras_dtl.layers.match_length import MatchLength
from keras_dtl.layers.mixture_code import MixtureCode
from keras_dtl.layers.plant_feet import PlantFeet
from keras_dtl.layers.reflection_padding import ReflectionPadding2D
from keras_dtl.layers.repeat_pixels import RepeatPixels
from keras_dtl.layers.resize_like import ResizeLike
from keras_dtl.layers.smooth_frames import SmoothFrames
from keras_dtl.layers.time_gate import TimeGate
from keras_dtl.layers.to_pixels import ToPixels
from keras_dtl.layers.winograd_conv2d import WinogradConv2D, suits_winograd, with_winograd

__all__ = [
    "POSTPROCESSINGS",
    "AdaptiveInstanceNormalization",
    "Answer",
    "CORALAlignment",
    "ClassMap",
    "ClassMixture",
    "ConditionalInstanceNormalization",
    "CosineLogits",
    "FixedCode",
    "GradientReversal",
    "GramMatrix",
    "ImagePool",
    "InstanceNormalization",
    "JoinCode",
    "MatchLength",
    "MixtureCode",
    "PlantFeet",
    "ReflectionPadding2D",
    "RepeatPixels",
    "ResizeLike",
    "SmoothFrames",
    "TimeGate",
    "ToPixels",
    "WinogradConv2D",
    "answer_of",
    "coral_matrix",
    "from_pixels",
    "suits_winograd",
    "with_winograd",
]
