"""A trained model becomes an artifact that serving systems and `keras_dtl.convert` read."""

from keras_dtl.export.artifact import export_model
from keras_dtl.export.errors import ExportError

__all__ = ["ExportError", "export_model"]
