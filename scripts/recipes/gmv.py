"""Pairs of images of one thing in two views, drawn from noise (Chen et al. 2018).

keras-dtl train gmv --source npz:coil20_64.npz:object --image-size 64 --content 64 --style 64

On two cores train at 32 pixels for a first look; the paper's 50,000 steps of 128 pairs at 64
pixels are for a GPU: --batch-size 128 --filters 64.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from keras_dtl.scripts.recipes.separation import FEW, GRID, SeparationRecipe


@dataclass(frozen=True)
class GMVRecipe(SeparationRecipe):
    """Images of new things, each in several views (Chen et al. 2018)."""

    name: ClassVar[str] = "gmv"
    caption: ClassVar[str] = "A row has one content, a column one view."

    epochs: int = 100
    """Passes over the images."""
    learning_rate: float = 2e-4
    """Learning rate of the generator, and of encoders; Adam, beta_1 0.5."""
    discriminator_learning_rate: float = 5e-5
    """That of the discriminator, which must not win."""
    gate: float = 1.0
    """Share of right answers above which the discriminator rests; 1: never, as published."""
    pairs: Literal["concat", "siamese"] = "concat"
    """How the discriminator sees two images: joined, as published, or by one network each."""
    adversarial: Literal["vanilla", "hinge", "least_squares"] = "vanilla"
    """The game between generator and discriminator."""

    def restraints(self):
        restraints = {**super().restraints(), "adversarial": self.adversarial}
        if self.adversarial != "vanilla":
            del restraints["real_target"], restraints["generated_target"]
        return restraints

    def networks(self):
        from keras_dtl.backbones import latent_decoder, pair_discriminator

        generator = latent_decoder(self.shape, self.content, self.style, self.filters)
        return generator, pair_discriminator(self.shape, self.pairs, self.filters)

    def method(self, data):
        from keras_dtl.methods import GMV

        return GMV(*self.networks(), **self.restraints())

    def batches(self, data, first_step):
        from keras_dtl.data import view_batches

        return view_batches(data.train, self.batch_size, self.seed, first_step, other=None)

    def schedules(self):
        from keras_dtl.callbacks import cosine_decay

        return {
            "optimizer.learning_rate": cosine_decay(self.learning_rate),
            "discriminator_optimizer.learning_rate": cosine_decay(
                self.discriminator_learning_rate
            ),
        }

    def score(self, model, data):
        from keras_dtl.scripts.recipes.view_measures import gmv_scores

        return gmv_scores(model, data, self.judge(data), self.seed)

    def progress(self, model, data, judge):
        from keras_dtl.scripts.recipes.view_measures import contents_drawn, view_progress

        content = contents_drawn(model, FEW, np.random.default_rng(0))
        return view_progress(model, data, judge, content)

    def headline(self, scores):
        return {
            "agreement": scores["agreement"]["share"],
            "ceiling": scores["ceiling"]["share"],
            "view diversity": scores["view_diversity"],
        }

    def picture(self, model, data):
        from keras_dtl.scripts.recipes.view_measures import contents_drawn, view_grid

        random = np.random.default_rng(0)
        return view_grid(model, contents_drawn(model, GRID, random), random)
