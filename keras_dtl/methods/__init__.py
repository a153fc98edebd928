"""One paper, one file, one Keras model."""

from keras_dtl.methods.adda import ADDA
from keras_dtl.methods.base import Method
from keras_dtl.methods.ccsa import CCSA
from keras_dtl.methods.cgmv import CGMV
from keras_dtl.methods.cyclegan import CycleGAN
from keras_dtl.methods.dan import DAN
from keras_dtl.methods.dann import DANN
from keras_dtl.methods.deep_coral import DeepCORAL
from keras_dtl.methods.domain_adaptation import DomainAdaptation
from keras_dtl.methods.fast_style import FastStyle
from keras_dtl.methods.fine_tuning import FineTuning
from keras_dtl.methods.gmv import GMV
from keras_dtl.methods.linear_head import refit_head
from keras_dtl.methods.mme import MME
from keras_dtl.methods.pix2pix import Pix2Pix
from keras_dtl.methods.sequence_gmv import SequenceGMV
from keras_dtl.methods.sequence_style_transfer import SequenceStyleTransfer
from keras_dtl.methods.sequential_autoencoder import SequentialAdversarialAutoencoder
from keras_dtl.methods.source_only import SourceOnly
from keras_dtl.methods.style_transfer import StyleTransfer
from keras_dtl.methods.swap_vae import SwapVAE

__all__ = [
    "ADDA",
    "CCSA",
    "CGMV",
    "DAN",
    "DANN",
    "GMV",
    "MME",
    "CycleGAN",
    "DeepCORAL",
    "DomainAdaptation",
    "FastStyle",
    "FineTuning",
    "Method",
    "Pix2Pix",
    "SequenceGMV",
    "SequenceStyleTransfer",
    "SequentialAdversarialAutoencoder",
    "SourceOnly",
    "StyleTransfer",
    "SwapVAE",
    "refit_head",
]
