"""Pairs of images of one thing in two views, drawn from noise (Chen et al. 2018).

keras-dtl train gmv --source npz:coil20_64.npz:object --image-size 64 --content 64 --style 64

`python scripts/benchmarks/separation.py --rows coil20-gmv yaleb-gmv` shows what ten minutes on a
core reach: results/separation.json.
The paper trains for 50,000 steps of 128 pairs at 64 pixels, on a GPU, without our extension:
--batch-size 128 --filters 64 --learning-rate 2e-4 --discriminator-learning-rate 5e-5 --gate 1
--pairs concat --modes 0 --agreement-weight 0.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from keras_dtl.recipes.separation import GRID
from keras_dtl.recipes.views import ViewRecipe


@dataclass(frozen=True)
class GMVRecipe(ViewRecipe):
    """Images of new things, each in several views (Chen et al. 2018)."""

    name: ClassVar[str] = "gmv"
    suits: ClassVar[str] = "for views of objects, drawn anew"
    caption: ClassVar[str] = "A row has one content, a column one view."

    discriminator_learning_rate: float = 4e-4
    """That of the discriminator, which must not win."""
    pairs: Literal["concat", "siamese"] = "siamese"
    """How the discriminator sees two images: joined, as published, or by one network each."""
    modes: int = 32
    """Gaussians in the distribution of contents, some more than objects; 0: one, as published."""
    agreement_weight: float = 0.5
    """Weight of two views' showing one object, as classifiers see it that learn from real pairs; 0:
    as published, without them."""
    coverage_weight: float = 0.5
    """Weight of drawing objects that were rare of late, as classifiers see it."""
    classifiers: int = 6
    """How many classifiers: what one alone takes for an object, the others do not."""
    classifier_filters: int = 8
    """Channels of the first map of each."""
    classifier_shift: float = 0.0625
    """Largest shift of images before they are classified, as a share of the side."""
    label_smoothing: float = 0.05
    """Share of each label that is spread over all objects as classifiers learn."""
    view_weight: float = 1.0
    """Weight of how much less two views differ than real ones, beside the classifiers."""

    def method(self, data):
        from keras_dtl.backbones import latent_decoder, pair_discriminator
        from keras_dtl.methods import GMV

        return GMV(
            latent_decoder(self.shape, self.content, self.style, self.filters, modes=self.modes),
            pair_discriminator(self.shape, self.pairs, self.filters),
            self.classifier(len(data.train.classes)) if self.agreement_weight else None,
            agreement_weight=self.agreement_weight,
            coverage_weight=self.coverage_weight,
            view_weight=self.view_weight,
            label_smoothing=self.label_smoothing,
            **self.restraints(),
        )

    def classifier(self, objects: int):
        """Return a network with the answers of all classifiers, each to images shifted at random.

        The first sees them shifted most; the last, if there are several, as they are.
        """
        import keras

        from keras_dtl.backbones import latent_encoder

        require_classifiers(self.classifiers)
        shifts = np.linspace(self.classifier_shift, 0, self.classifiers).tolist()
        image, answers = keras.Input(self.shape, name="image"), []
        for number, shift in enumerate(shifts, 1):
            shifted = keras.layers.RandomTranslation(
                shift, shift, "constant", interpolation="nearest", fill_value=-1.0
            )
            # Real and generated images go through it: batches must not share statistics.
            network = latent_encoder(
                self.shape,
                objects,
                filters=self.classifier_filters,
                normalization="instance",
                name=f"classifier_{number}",
            )
            answers.append(network(shifted(image) if shift else image))
        return keras.Model(image, answers, name="classifiers")

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation.view_scores import DRAWN, draw_codes, multi_view_scores

        random = np.random.default_rng(self.seed)
        contents = draw_codes(DRAWN, model.content_numbers, random)
        generator, judge = self.view_generator(model), self.judge(data)
        return multi_view_scores(generator, judge, contents, *data.test.arrays(), random)

    def headline(self, scores: dict) -> dict:
        return {**super().headline(scores), "class entropy": scores["class_entropy"]}

    def progress(self, model, data, judge) -> dict:
        from keras_dtl.evaluation.separation_scores import FEW
        from keras_dtl.evaluation.view_scores import draw_codes, view_progress

        contents = draw_codes(FEW, model.content_numbers, np.random.default_rng(0))
        return view_progress(self.view_generator(model), judge, contents, *data.test.arrays())

    def picture(self, model, data) -> np.ndarray:
        from keras_dtl.evaluation.figures.code_grids import code_grid
        from keras_dtl.evaluation.view_scores import draw_codes

        random = np.random.default_rng(0)
        sizes = (model.content_numbers, model.view_numbers)
        codes = (draw_codes(GRID, size, random) for size in sizes)
        return code_grid(model.parts()["generator"], *codes)


def require_classifiers(count: int) -> None:
    """Refuse a number of classifiers below 1, in the words of the command line.

    Args:
        count: How many are asked for.

    Raises:
        ValueError: When it is below 1.
    """
    if count < 1:
        raise ValueError(
            f"--classifiers must be 1 or more. Received: {count}. To train without them, as "
            "published, pass --agreement-weight 0."
        )
