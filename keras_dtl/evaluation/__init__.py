"""How good a model is, and how to show it: scores, embeddings, figures, a report in one file."""

from keras_dtl.evaluation.answers import compare_answers
from keras_dtl.evaluation.classification import ClassificationScores, evaluate_classifier
from keras_dtl.evaluation.diagnosis import Diagnosis, diagnose_domain_classifier
from keras_dtl.evaluation.distribution import frechet_distance, kernel_distance
from keras_dtl.evaluation.embedding import choose_indices, tsne
from keras_dtl.evaluation.features import feature_network, features_of
from keras_dtl.evaluation.report import Report
from keras_dtl.evaluation.segmentation import (
    fcn_score,
    fit_segmenter,
    palette_classes,
    segmentation_scores,
)
from keras_dtl.evaluation.segmenter_scores import evaluate_segmenter, overlay
from keras_dtl.evaluation.selection import Candidate, Ranked, rank_candidates, regrets
from keras_dtl.evaluation.similarity import (
    absolute_error,
    brightness_correlation,
    perceptual_distance,
    structural_similarity,
)
from keras_dtl.evaluation.transferability import transfer_effects
from keras_dtl.evaluation.validators import VALIDATORS, ModelOutputs, proxy_a_distance, validate
from keras_dtl.evaluation.watch import AdaptationWatch

__all__ = [
    "VALIDATORS",
    "AdaptationWatch",
    "Candidate",
    "ClassificationScores",
    "Diagnosis",
    "ModelOutputs",
    "Ranked",
    "Report",
    "absolute_error",
    "brightness_correlation",
    "choose_indices",
    "compare_answers",
    "diagnose_domain_classifier",
    "evaluate_classifier",
    "evaluate_segmenter",
    "fcn_score",
    "feature_network",
    "features_of",
    "fit_segmenter",
    "frechet_distance",
    "kernel_distance",
    "overlay",
    "palette_classes",
    "perceptual_distance",
    "proxy_a_distance",
    "rank_candidates",
    "regrets",
    "segmentation_scores",
    "structural_similarity",
    "transfer_effects",
    "tsne",
    "validate",
]
