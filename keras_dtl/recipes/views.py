"""What the recipes of generative multi-view models share: players, pairs, schedules."""

from dataclasses import dataclass
from typing import Literal

from keras_dtl.recipes.separation import SeparationRecipe


@dataclass(frozen=True)
class ViewRecipe(SeparationRecipe):
    """Contents in several views; the fields that GMV and CGMV have."""

    epochs: int = 100
    """Passes over the images."""
    pairs: Literal["concat", "siamese"] = "concat"
    """How the discriminator sees two images: joined, as published, or by one network each."""
    adversarial: Literal["vanilla", "hinge", "least_squares"] = "vanilla"
    """The game between generator and discriminator."""

    def restraints(self):
        restraints = {**super().restraints(), "adversarial": self.adversarial}
        if self.adversarial != "vanilla":
            del restraints["real_target"], restraints["generated_target"]
        return restraints

    def batches(self, data, first_step):
        from keras_dtl.data import view_batches

        return view_batches(data.train, self.batch_size, self.seed, first_step, other=None)

    def schedules(self):
        from keras_dtl.callbacks import cosine_decay

        return {
            "optimizer.learning_rate": cosine_decay(self.learning_rate),
            "discriminator_optimizer.learning_rate": cosine_decay(self.discriminator_learning_rate),
        }

    def headline(self, scores):
        return {
            "agreement": scores["agreement"]["share"],
            "ceiling": scores["ceiling"]["share"],
            "view diversity": scores["view_diversity"],
        }
