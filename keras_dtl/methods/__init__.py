"""One paper, one file, one Keras model."""

from keras_dtl.methods.adaptation.adamatch import AdaMatch
from keras_dtl.methods.adaptation.adda import ADDA
from keras_dtl.methods.adaptation.ccsa import CCSA
from keras_dtl.methods.adaptation.cdan import CDAN
from keras_dtl.methods.adaptation.dacs import DACS
from keras_dtl.methods.adaptation.dan import DAN
from keras_dtl.methods.adaptation.dann import DANN
from keras_dtl.methods.adaptation.deep_coral import DeepCORAL
from keras_dtl.methods.adaptation.domain_adaptation import DomainAdaptation
from keras_dtl.methods.adaptation.label_shift import (
    shares_by_likelihood,
    shares_by_matching,
    turn_to_shares,
)
from keras_dtl.methods.adaptation.linear_head import refit_head
from keras_dtl.methods.adaptation.mcc import MCC
from keras_dtl.methods.adaptation.mme import MME
from keras_dtl.methods.adaptation.shot import SHOT
from keras_dtl.methods.adaptation.source_only import SourceOnly
from keras_dtl.methods.adaptation.statistics import adapt_statistics, check_statistics
from keras_dtl.methods.base import Method
from keras_dtl.methods.loading import load_model
from keras_dtl.methods.motion.sequence_gmv import SequenceGMV
from keras_dtl.methods.motion.sequence_style_transfer import SequenceStyleTransfer
from keras_dtl.methods.motion.sequential_autoencoder import SequentialAdversarialAutoencoder
from keras_dtl.methods.separation.cgmv import CGMV
from keras_dtl.methods.separation.gmv import GMV
from keras_dtl.methods.separation.swap_vae import SwapVAE
from keras_dtl.methods.style.fast_style import FastStyle
from keras_dtl.methods.style.style_transfer import StyleTransfer
from keras_dtl.methods.transfer.fine_tuning import FineTuning
from keras_dtl.methods.translation.cyclegan import CycleGAN
from keras_dtl.methods.translation.pix2pix import Pix2Pix

__all__ = [
    "ADDA",
    "CCSA",
    "CDAN",
    "CGMV",
    "DACS",
    "DAN",
    "DANN",
    "GMV",
    "MCC",
    "MME",
    "SHOT",
    "AdaMatch",
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
    "adapt_statistics",
    "check_statistics",
    "load_model",
    "refit_head",
    "shares_by_likelihood",
    "shares_by_matching",
    "turn_to_shares",
]
