"""The bounds of domain adaptation: the same classifier without any.

keras-dtl train source-only --source digits --target digits_m
keras-dtl train source-only --source digits --target digits_m --labels-from target
keras-dtl train source-only --source digits --target digits_m --shots 3

The last is the baseline called S+T: both domains' labels, no adaptation.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe


@dataclass(frozen=True)
class SourceOnlyRecipe(DomainAdaptationRecipe):
    """Train on one domain's labels alone: the lower and the upper bound of adaptation."""

    name: ClassVar[str] = "source-only"
    suits: ClassVar[str] = "for the figure that every adaptation is to beat"

    labels_from: Literal["source", "target"] = "source"
    """Whose labels are learnt: source gives the lower bound, target the upper one."""

    def method(self, encoder, classifier):
        from keras_dtl.methods import SourceOnly

        return SourceOnly(encoder, classifier, batch_norm=self.normalization)

    def labelled_images(self, data):
        if self.labels_from == "source":
            return data.source_train
        return data.target_train if data.target_labelled is None else data.target_labelled

    def labelled_target(self, data):
        return data.target_labelled if self.labels_from == "source" else None
