"""One paper, one file, one Keras model."""

from keras_dtl.methods.base import Method
from keras_dtl.methods.cyclegan import CycleGAN
from keras_dtl.methods.dann import DANN
from keras_dtl.methods.domain_adaptation import DomainAdaptation
from keras_dtl.methods.pix2pix import Pix2Pix
from keras_dtl.methods.source_only import SourceOnly

__all__ = ["DANN", "CycleGAN", "DomainAdaptation", "Method", "Pix2Pix", "SourceOnly"]
