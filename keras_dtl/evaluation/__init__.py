"""How good a model is, and how to show it: scores, embeddings, figures, a report in one file."""

from keras_dtl.evaluation.classification import ClassificationScores, evaluate_classifier
from keras_dtl.evaluation.diagnosis import Diagnosis, diagnose_domain_classifier
from keras_dtl.evaluation.embedding import choose_indices, tsne
from keras_dtl.evaluation.report import Report
from keras_dtl.evaluation.validators import VALIDATORS, ModelOutputs, proxy_a_distance, validate

__all__ = [
    "VALIDATORS",
    "ClassificationScores",
    "Diagnosis",
    "ModelOutputs",
    "Report",
    "choose_indices",
    "diagnose_domain_classifier",
    "evaluate_classifier",
    "proxy_a_distance",
    "tsne",
    "validate",
]
