"""One paper, one file, one Keras model."""

from keras_dtl.methods.base import Method
from keras_dtl.methods.dann import DANN
from keras_dtl.methods.domain_adaptation import DomainAdaptation
from keras_dtl.methods.fast_style import FastStyle
from keras_dtl.methods.source_only import SourceOnly
from keras_dtl.methods.style_transfer import StyleTransfer

__all__ = ["DANN", "DomainAdaptation", "Method", "SourceOnly"]
__all__ += ["FastStyle", "StyleTransfer"]
