"""What goes wrong with an adaptation while it is trained, in words."""

import numpy as np

from keras_dtl.evaluation.answers import FEW, class_shares, relative_entropy
from keras_dtl.evaluation.diagnosis import MIN_EPOCHS, diagnose_domain_classifier

SETTLED = 0.5
"""Share of the training from which the reversal is strong enough to judge who wins."""
JUMP = 0.15
"""By how much the target's entropy may rise in an epoch, as a share of log(classes)."""
EXAMPLES = 500


class AdaptationWatch:
    """Judges an adaptation after each epoch, for `keras_dtl.callbacks.Watch`.

    It finds that the domain classifier has won or is lost, that the label loss rises, that the
    target's answers fall onto few classes, or that their entropy jumps. No label of the target is
    looked at.

        Watch(AdaptationWatch(target_images))

    Args:
        images: uint8 array `(examples, height, width, channels)` of the target, of which the
            first `EXAMPLES` are looked at; or None to read the logs alone.
    """

    def __init__(self, images=None):
        self.images = None if images is None else images[:EXAMPLES]
        self.entropies, self.answered = [], []

    def __call__(self, model, columns, progress):
        findings = domain_findings(columns) if progress >= SETTLED else {}
        if self.images is None:
            return {}, findings
        probabilities = _softmax(model.predict(self.images, batch_size=256, verbose=0))
        self.entropies.append(relative_entropy(probabilities))
        shares = class_shares(probabilities)
        self.answered.append(int((shares >= FEW / len(shares)).sum()))
        findings |= self._target_findings(shares)
        return {"target_entropy": self.entropies[-1]}, findings

    def _target_findings(self, shares):
        findings = {}
        if len(self.answered) > 1 and self.answered[-1] <= max(self.answered) / 2:
            findings["classes_collapse"] = (
                f"The target is taken for {self.answered[-1]} of {len(shares)} classes, "
                f"{shares.max():.0%} for one of them; before it were {max(self.answered)}. "
                "Lower the weight of adaptation, or raise it more slowly."
            )
        if len(self.entropies) > 1 and self.entropies[-1] > self.entropies[-2] + JUMP:
            findings["entropy_jumps"] = (
                f"Answers on the target became less certain at once: their entropy rose from "
                f"{self.entropies[-2]:.0%} to {self.entropies[-1]:.0%} of its largest value. Lower "
                "the learning rate or the weight of adaptation."
            )
        return findings


def domain_findings(columns):
    """Return what the logs say of a domain classifier, `{verdict: words}`, if it is unhealthy."""
    if len(columns.get("domain_accuracy", ())) < MIN_EPOCHS:
        return {}
    found = diagnose_domain_classifier(columns["domain_accuracy"], columns.get("label_loss"))
    return {} if found.healthy else {found.verdict: found.words}


def _softmax(logits):
    exponents = np.exp(logits.astype("float64") - logits.max(-1, keepdims=True))
    return exponents / exponents.sum(-1, keepdims=True)
