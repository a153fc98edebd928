"""TFDS builders of digit data sets that TFDS lacks; importing this registers them by name."""

from keras_dtl.data.builders.mnist_m import MnistM
from keras_dtl.data.builders.usps import Usps

__all__ = ["MnistM", "Usps"]
