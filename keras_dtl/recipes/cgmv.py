"""New views of a given image (Chen et al. 2018).

keras-dtl train cgmv --source npz:yaleb_64.npz:person --image-size 64 --content 64 --style 64

A share of the objects is held out: new views of them show whether the encoder reads what it never
saw. `python scripts/benchmarks/separation.py --rows yaleb-cgmv` shows what twenty minutes on one
core reach: results/separation.json. The paper trains for a million steps of 128 pairs at 64 pixels,
on a GPU: --batch-size 128 --filters 64 --learning-rate 5e-5 --discriminator-learning-rate 5e-5
--gate 1.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from keras_dtl.recipes.separation import GRID, picture_figure
from keras_dtl.recipes.views import ViewRecipe


@dataclass(frozen=True)
class CGMVRecipe(ViewRecipe):
    """New views of the object in an image, and copies of other images' views (Chen et al. 2018)."""

    name: ClassVar[str] = "cgmv"
    suits: ClassVar[str] = "for new views of the thing in a given image"
    next_words: ClassVar[str] = "export {run} --views 5 --output {artifact}-views"
    caption: ClassVar[str] = (
        "A row shows an image of the test split, at the left, in new views; a column has one view."
    )

    held_out: float = 0.2
    """Share of the classes that are never trained on, to be tested; 0: none."""
    view_encoder: bool = True
    """Learn to read the view of an image, too, so that it can be copied; not in the paper."""
    view_weight: float = 1.0
    """Weight of the error of views that are read from generated images."""
    reconstruction_weight: float = 10.0
    """Weight of the error of an image rebuilt from another's content and its own view."""
    moment_weight: float = 0.1
    """Weight of the spread of views that are read, which shall be that of views that are drawn."""
    contrast_weight: float = 1.0
    """Weight of telling by its content which object an image shows, real or generated."""
    view_noise: float = 0.5
    """Deviation of the noise through which views are read, so that they tell no object."""
    copied_share: float = 0.5
    """Share of new views that are copied from other images, so that a view tells no object."""
    normalization: Literal["instance", "batch"] = "instance"
    """Of encoders and generator, which real and generated images go through; batch: published."""

    def load_data(self):
        from keras_dtl.recipes.separation import without_some_classes

        data = super().load_data()
        return without_some_classes(data, self.held_out, self.seed) if self.held_out else data

    def method(self, data):
        from keras_dtl.backbones import latent_decoder, latent_encoder, pair_discriminator
        from keras_dtl.methods import CGMV

        def encoder(numbers, name):
            return latent_encoder(
                self.shape, numbers, 0, self.filters, self.normalization, name=name
            )

        generator = latent_decoder(
            self.shape, self.content, self.style, self.filters, self.normalization
        )
        return CGMV(
            encoder(self.content, "content_encoder"),
            generator,
            pair_discriminator(self.shape, self.pairs, self.filters),
            encoder(self.style, "view_encoder") if self.view_encoder else None,
            view_weight=self.view_weight,
            reconstruction_weight=self.reconstruction_weight,
            moment_weight=self.moment_weight,
            contrast_weight=self.contrast_weight,
            view_noise=self.view_noise,
            copied_share=self.copied_share,
            **self.restraints(),
        )

    def score(self, model, data) -> dict:
        from keras_dtl.evaluation.view_scores import copied_view, identity, multi_view_scores

        random, judge = np.random.default_rng(self.seed), self.judge(data)
        generator = self.view_generator(model)
        contents = contents_of(model, data.test.images)
        scores = multi_view_scores(generator, judge, contents, *data.test.arrays(), random)
        scores["identity"] = identity(generator, judge, contents, data.test.labels, random)
        if (held := data.held_out) is not None:
            codes = contents_of(model, held.images)
            found = identity(generator, judge, codes, held.labels, random)
            scores["identity_of_held_out"] = found
        if model.view_encoder is not None:
            networks = generator.generate, views_reader(model)
            found = copied_view(*networks, judge, contents, data.test.arrays(), random)
            scores["copied_view"] = found
        return scores

    def judge_examples(self, data):
        """Return training images, and every second one of held-out classes, which it must know."""
        if data.held_out is None:
            return data.train
        return data.train.join(data.held_out.subset(np.arange(0, len(data.held_out), 2)))

    def progress(self, model, data, judge) -> dict:
        from keras_dtl.evaluation.separation_scores import FEW
        from keras_dtl.evaluation.view_scores import view_progress

        contents = contents_of(model, data.test.images[:FEW])
        return view_progress(self.view_generator(model), judge, contents, *data.test.arrays())

    def headline(self, scores: dict) -> dict:
        shares = {
            name.replace("_", " "): scores[name]["share"]
            for name in scores
            if name.startswith("identity")
        }
        return {**super().headline(scores), **shares}

    def picture(self, model, data) -> np.ndarray:
        return self.views_of(model, data.test)

    def views_of(self, model, examples) -> np.ndarray:
        """Return a grid of images of different classes in new views."""
        from keras_dtl.evaluation.figures.code_grids import code_grid
        from keras_dtl.evaluation.view_scores import draw_codes

        labels = np.unique(examples.labels)[:GRID]
        images = examples.images[[(examples.labels == label).argmax() for label in labels]]
        views = draw_codes(len(images), model.view_numbers, np.random.default_rng(0))
        contents = contents_of(model, images)
        return code_grid(model.parts()["generator"], contents, views, images)

    def add_pictures(self, report, model, data) -> None:
        from keras_dtl.evaluation.figures.code_grids import walks

        super().add_pictures(report, model, data)
        if data.held_out is not None:
            figure = picture_figure(self.views_of(model, data.held_out))
            report.add_figure(
                "Held out", figure, "The same for objects that were never trained on."
            )
        if self.view_encoder:
            ends = data.test.images[[0, -1]]
            codes = contents_of(model, ends), views_reader(model)(ends)
            figure = picture_figure(walks(model.parts()["generator"], *codes))
            caption = "From one image to another: above along the view, below along the content."
            report.add_figure("Interpolation", figure, caption)


def contents_of(model, images: np.ndarray) -> np.ndarray:
    """Return the codes of what images show, float32 `(examples, numbers)`.

    Args:
        model: The `CGMV`.
        images: uint8 `(examples, height, width, channels)`.
    """
    from keras_dtl.evaluation.prediction import predict

    return predict(model.parts()["encoder"], images)["content"]


def views_reader(model):
    """Return the function from uint8 images to codes of their views, `(batch, numbers)`.

    Args:
        model: The `CGMV`, with a view encoder.
    """
    network = model.parts()["view_encoder"]
    return lambda images: np.asarray(network(images, training=False)["view"])
