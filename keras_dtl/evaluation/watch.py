"""What goes wrong with an adaptation while it is trained, in words."""

from scipy.special import softmax

from keras_dtl.evaluation.answers import FEW, class_shares, normalized_entropy
from keras_dtl.evaluation.embedding import choose_indices
from keras_dtl.prediction import predict

JUMP = 0.15
"""By how much the target's entropy may rise in an epoch, as a share of log(classes)."""
EXAMPLES = 500
OF_ADAPTATION = "Lower the weight of adaptation, or raise it more slowly."
OF_SOURCE = "Nothing adapts here: take other images, --augment, pretrained weights, or a method."


class AdaptationWatch:
    """Judges an adaptation after each epoch, for `keras_dtl.callbacks.Watch`.

    It finds that the target's answers fall onto few classes, or that their entropy jumps. No
    label of the target is looked at. What a discriminator does, and whether the source is learnt,
    `keras_dtl.callbacks.FailureWatch` says.

        Watch(AdaptationWatch(target_images))

    Args:
        images: uint8 array `(examples, height, width, channels)` of the target, of which
            `EXAMPLES` are looked at.
    """

    def __init__(self, images):
        self.images = images[choose_indices(len(images), EXAMPLES)]
        self.entropies, self.answered = [], []

    def __call__(self, model, columns, progress):
        probabilities = softmax(predict(model, self.images).astype("float64"), -1)
        self.entropies.append(normalized_entropy(probabilities))
        shares = class_shares(probabilities)
        self.answered.append(int((shares >= FEW / len(shares)).sum()))
        adapts = bool(getattr(model, "needs", True))  # `SourceOnly` looks at no target
        return {"target_entropy": self.entropies[-1]}, self._target_findings(shares, adapts)

    def _target_findings(self, shares, adapts):
        findings = {}
        if len(self.answered) > 1 and self.answered[-1] <= max(self.answered) / 2:
            findings["classes_collapse"] = (
                f"The target is taken for {self.answered[-1]} of {len(shares)} classes, "
                f"{shares.max():.0%} for one of them; before it were {max(self.answered)}. "
            ) + (OF_ADAPTATION if adapts else OF_SOURCE)
        if len(self.entropies) > 1 and self.entropies[-1] > self.entropies[-2] + JUMP:
            findings["entropy_jumps"] = (
                f"Answers on the target became less certain at once: their entropy rose from "
                f"{self.entropies[-2]:.0%} to {self.entropies[-1]:.0%} of its largest value. Lower "
                f"the learning rate{' or the weight of adaptation' * adapts}."
            )
        return findings
