"""A trained model becomes an artifact that serving systems and `keras_dtl.convert` read."""

from keras_dtl.export.artifact import export_model
from keras_dtl.export.errors import ExportError
from keras_dtl.export.formats import FORMATS, Format
from keras_dtl.export.rehearsal import check_exportable

__all__ = ["FORMATS", "ExportError", "Format", "check_exportable", "export_model"]
