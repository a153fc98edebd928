from typing import Any

import keras
import numpy as np

from keras_dtl.methods.style import images as style_images
from keras_dtl.methods.style.objective import StyleObjective
from keras_dtl.methods.style.perceptual import Perceptual
from keras_dtl.methods.style.pixel_optimizers import optimizer_settings, pixel_optimizer
from keras_dtl.methods.style.scene import Scene
from keras_dtl.methods.style.stages import StyleState, descend, stages, start_settings
from keras_dtl.methods.style.tiled_objective import TiledObjective
from keras_dtl.methods.style.tiles import side_of_tiles

CONTENT_LAYERS = ("conv4_2",)
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")


@keras.saving.register_keras_serializable("keras_dtl")
class StyleTransfer(Perceptual):
    """Neural style transfer: an image with the content of one image in the style of another.

    A trained network describes an image twice. Its features in a high layer are the content:
    what is where. The Gram matrices of its features in several layers are the style: what
    occurs together, wherever. An image is sought whose descriptions are close to both:

        min over image:  content_weight * sum_l content_loss(F_l(image), F_l(content))
                         + style_weight * sum_l w_l style_loss(G_l(image), G_l(style))
                         + variation_weight * total_variation(image)

    Here nothing is learnt but the image, so there is no `fit`: `stylize` takes images and gives
    one. `call` returns the two descriptions. For a network that does it in one pass, and can be
    exported, train a `FastStyle`.

    Reference: Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural
    Networks", CVPR 2016.

    Differs from the paper: a style keeps its proportions when it is brought to the content's
    number of pixels; Gram matrices are divided by the number of positions, which is the same
    where sizes are equal; optimisation starts from the content unless told otherwise.

    Args:
        features: Network from float images in 0..255 to a dictionary of features by layer, such
            as `keras_dtl.backbones.vgg19_features()`. It is frozen.
        content_layers: Names of layers.
        style_layers: Names of layers, or a dictionary from them to weights. Names alone have
            weights of 1, under the scale `"paper"` those that add up to 1.
        content_weight, style_weight, variation_weight: Numbers of 0 or more. `None` takes what
            was published with `loss_scale`.
        loss_scale: What the losses are divided by, one of `keras_dtl.losses.LOSS_SCALES`; see
            `keras_dtl.losses.style_loss`. Weights of one scale mean nothing in another.

    Example:

    ```python
    import numpy as np
    import keras_dtl

    # weights=None for a quick look; leave it out to describe with VGG19 as trained
    model = keras_dtl.StyleTransfer(keras_dtl.backbones.vgg19_features(weights=None))
    content, style = (np.full((32, 32, 3), level, "uint8") for level in (90, 160))
    image = model.stylize(content, [style], iterations=2, jit_compile=False)  # uint8, as `content`
    ```
    """

    def __init__(
        self,
        features,
        content_layers=CONTENT_LAYERS,
        style_layers=STYLE_LAYERS,
        content_weight=None,
        style_weight=None,
        variation_weight=None,
        loss_scale="paper",
        **kwargs,
    ):
        weights = (content_weight, style_weight, variation_weight)
        super().__init__(features, content_layers, style_layers, weights, loss_scale, **kwargs)
        self.build()  # the network comes built; without a fit, nobody else says so

    def call(self, images, training=False):
        """Return `{"content": features by layer, "style": Gram matrices by layer}`."""
        return self.description(images)

    def fit(self, *args, **kwargs):
        """Nothing learns here: see `stylize`, or `FastStyle` for a network that does."""
        raise NotImplementedError(
            "StyleTransfer has no `fit`: stylize(content, [style]) optimises one image. A network "
            "that gives any photo a style is trained by FastStyle."
        )

    def stylize(
        self,
        content,
        styles,
        *,
        style_weights=None,
        masks=None,
        style_scale=1.0,
        colors="style",
        init: Any = "content",
        sizes=None,
        iterations: int | tuple = 300,
        optimizer: Any = "lbfgs",
        seed=0,
        jit_compile: bool | str = "auto",
        tile_size: int | str | None = "auto",
        callback=None,
        checkpoint=None,
    ):
        """Return an image with a content in one or more styles.

        Args:
            content: uint8 image `(height, width, 3)`, or None to leave it out.
            styles: uint8 images of any size; none at all leaves style out.
            style_weights: How much each style counts; equally by default.
            masks: For each style the mask `(height, width)` of where in the content it acts, in
                0..1 or uint8. Without masks, styles are blended everywhere.
            style_scale: Size of a style beside the content's: 0.5 makes strokes half as large.
            colors: `"style"`; `"luminance"` or `"histogram"` keep the colours of the content.
            init: `"content"`, `"noise"` or a uint8 image.
            sizes: Longer sides in pixels to work at, each starting from the result of the one
                before, such as `(256, 512)`. The content's own size by default.
            iterations: How many at each size, or a number for each of the sizes.
            optimizer: `"lbfgs"`, `"adam"`, an `LBFGS` or a Keras optimizer.
            seed: Of the noise.
            jit_compile: Whether XLA compiles the graph of an image that is taken whole. It takes
                some seconds at each of the sizes. On a CPU the wide convolutions are then those of
                `keras_dtl.layers.WinogradConv2D`, a third faster. `"auto"` compiles where there
                are such convolutions.
            tile_size: Side in pixels of the tiles in which an image is looked at, for the sake of
                memory; None takes it whole. Tiles overlap and their statistics are added up, so
                that the result is the same; they take longer. `"auto"` uses them above 1.5
                megapixels.
            callback: Called with a `Step` after every iteration; what it raises ends the work.
            checkpoint: Path of a file in which the state is kept while the work goes on; if it
                exists, the work goes on from it.

        Returns:
            uint8 image of the last of `sizes`.

        Raises:
            ValueError: An argument does not fit, or an image is too small for the layers.
        """
        scene = Scene(content, styles, style_weights, masks, style_scale, colors)
        plan = stages(sizes, iterations)
        settings = {
            "model": [self.loss_scale, self.content_layers, self.layer_weights],
            "weights": self.weights_of_terms,
            "plan": [plan, optimizer_settings(optimizer), seed, start_settings(init)],
            "scene": scene.settings,
        }
        start = [init] if isinstance(init, np.ndarray) else []
        state = StyleState(checkpoint, settings, [*scene.images, *start])
        optimizer = pixel_optimizer(optimizer)
        image = state.image
        for stage, (side, count) in list(enumerate(plan))[state.stage :]:
            size = scene.size(side)
            pixels, regions = scene.at(size)
            objective = self._objective(pixels, regions, size, jit_compile, tile_size)
            if image is None:
                image = style_images.start_image(init, pixels, size, seed)
            elif image.shape[1:3] != size:
                image = style_images.enlarge(image, size)
            image = descend(objective, image, optimizer, count, state, stage, callback)
        state.finish()
        return style_images.restore_colors(style_images.to_uint8(image), content, colors)

    def _objective(self, pixels, regions, size, jit_compile, tile_size):
        side = side_of_tiles(tile_size, size)
        if side is None:
            return StyleObjective(self, pixels, regions, size, jit_compile)
        return TiledObjective(self, pixels, regions, size, side)

    def content_reconstruction(self, content, layer="conv4_2", **options):
        """Return an image found from noise by the content of one layer alone (figure 1).

        Args:
            content: uint8 image `(height, width, 3)`.
            layer: Name of the layer. The higher it is, the fewer exact pixels are kept.
            **options: Of `stylize`.
        """
        part = self._part(content_layers=(layer,), style_layers=())
        return part.stylize(content, (), **{"init": "noise", **options})

    def style_reconstruction(self, style, layers=STYLE_LAYERS, **options):
        """Return an image found from noise by the style in some layers alone (figure 1).

        Args:
            style: uint8 image `(height, width, 3)`.
            layers: Names of the layers, from `conv1_1` on. The more, the larger the structures.
            **options: Of `stylize`.
        """
        part = self._part(content_layers=(), style_layers=layers)
        return part.stylize(None, (style,), **{"init": "noise", **options})

    def _part(self, **layers):
        return StyleTransfer(
            self.features, variation_weight=0, loss_scale=self.loss_scale, **layers
        )

    def deployable(self):
        raise NotImplementedError(
            "StyleTransfer optimises one image and leaves no network to deploy. Train a FastStyle, "
            "which does the same in one pass, and export that."
        )
