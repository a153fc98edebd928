"""How good a model is, and how to show it: scores, judges, embeddings, figures, a report."""

from keras_dtl.evaluation.answers import compare_answers
from keras_dtl.evaluation.classification import ClassificationScores, evaluate_classifier
from keras_dtl.evaluation.diagnosis import Diagnosis, diagnose_domain_classifier
from keras_dtl.evaluation.distribution import frechet_distance, kernel_distance
from keras_dtl.evaluation.embedding import choose_indices, tsne
from keras_dtl.evaluation.features import feature_network, features_of
from keras_dtl.evaluation.image_judge import (
    fit_judge,
    judge_images,
    judged_share,
    load_or_fit_judge,
)
from keras_dtl.evaluation.motion import MotionJudge, motion_frechet_distance, physics
from keras_dtl.evaluation.motion_method_scores import (
    pair_scores,
    rebuilding_scores,
    transfer_scores,
)
from keras_dtl.evaluation.motion_scores import MotionScores, other_styles
from keras_dtl.evaluation.prediction import predict
from keras_dtl.evaluation.report import Report
from keras_dtl.evaluation.segmentation import (
    fcn_score,
    fit_segmenter,
    palette_classes,
    segmentation_scores,
)
from keras_dtl.evaluation.segmenter_scores import SegmenterScores, evaluate_segmenter, overlay
from keras_dtl.evaluation.selection import Candidate, Ranked, rank_candidates, regrets
from keras_dtl.evaluation.separation import (
    bootstrap_interval,
    probe_accuracy,
    retrieval_precision,
    slant,
    stroke_thickness,
)
from keras_dtl.evaluation.separation_scores import (
    Autoencoder,
    codes_of,
    content_ignored,
    diversity,
    partners,
    probes,
    style_kept,
    swap_progress,
    swap_scores,
)
from keras_dtl.evaluation.similarity import (
    absolute_error,
    brightness_correlation,
    perceptual_distance,
    structural_similarity,
)
from keras_dtl.evaluation.transferability import transfer_effects
from keras_dtl.evaluation.translation_scores import (
    TranslationProgress,
    cycle_errors,
    perceptual_scores,
    set_distances,
    translate,
)
from keras_dtl.evaluation.validation import ORACLE, Validation, accuracy, outputs_of
from keras_dtl.evaluation.validators import VALIDATORS, ModelOutputs, proxy_a_distance, validate
from keras_dtl.evaluation.view_scores import (
    ViewGenerator,
    copied_view,
    draw_codes,
    identity,
    multi_view_scores,
    view_progress,
)
from keras_dtl.evaluation.watch import AdaptationWatch

__all__ = [
    "ORACLE",
    "VALIDATORS",
    "AdaptationWatch",
    "Autoencoder",
    "Candidate",
    "ClassificationScores",
    "Diagnosis",
    "ModelOutputs",
    "MotionJudge",
    "MotionScores",
    "Ranked",
    "Report",
    "SegmenterScores",
    "TranslationProgress",
    "Validation",
    "ViewGenerator",
    "absolute_error",
    "accuracy",
    "bootstrap_interval",
    "brightness_correlation",
    "choose_indices",
    "codes_of",
    "compare_answers",
    "content_ignored",
    "copied_view",
    "cycle_errors",
    "diagnose_domain_classifier",
    "diversity",
    "draw_codes",
    "evaluate_classifier",
    "evaluate_segmenter",
    "fcn_score",
    "feature_network",
    "features_of",
    "fit_judge",
    "fit_segmenter",
    "frechet_distance",
    "identity",
    "judge_images",
    "judged_share",
    "kernel_distance",
    "load_or_fit_judge",
    "motion_frechet_distance",
    "multi_view_scores",
    "other_styles",
    "outputs_of",
    "overlay",
    "pair_scores",
    "palette_classes",
    "partners",
    "perceptual_distance",
    "perceptual_scores",
    "physics",
    "predict",
    "probe_accuracy",
    "probes",
    "proxy_a_distance",
    "rank_candidates",
    "rebuilding_scores",
    "regrets",
    "retrieval_precision",
    "segmentation_scores",
    "set_distances",
    "slant",
    "stroke_thickness",
    "structural_similarity",
    "style_kept",
    "swap_progress",
    "swap_scores",
    "transfer_effects",
    "transfer_scores",
    "translate",
    "tsne",
    "validate",
    "view_progress",
]
