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

    def restraints(self) -> dict:
        restraints = {**super().restraints(), "adversarial": self.adversarial}
        if self.adversarial != "vanilla":
            del restraints["real_target"], restraints["generated_target"]
        return restraints

    def batches(self, data, first_step: int):
        from keras_dtl.data import view_batches

        return view_batches(data.train, self.batch_size, self.seed, first_step, other=None)

    def schedules(self) -> dict:
        from keras_dtl.callbacks import cosine_decay

        return {
            "optimizer.learning_rate": cosine_decay(self.learning_rate),
            "discriminator_optimizer.learning_rate": cosine_decay(self.discriminator_learning_rate),
        }

    def view_generator(self, model):
        """Return what draws views of contents, as `keras_dtl.evaluation` takes it."""
        from keras_dtl.evaluation.view_scores import ViewGenerator

        return ViewGenerator(model.parts()["generator"], model.view_numbers)

    def headline(self, scores: dict) -> dict:
        return {
            "agreement": scores["agreement"]["share"],
            "ceiling": scores["ceiling"]["share"],
            "view diversity": scores["view_diversity"],
        }
