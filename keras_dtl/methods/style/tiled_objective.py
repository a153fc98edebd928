"""The objective of style transfer in tiles, for images whose features do not fit in memory."""

import numpy as np
import tensorflow as tf

from keras_dtl.layers import GramMatrix
from keras_dtl.losses import content_loss, total_variation
from keras_dtl.methods.style.objective import StyleObjective, layer_shapes
from keras_dtl.methods.style.pixel_optimizers import Evaluation
from keras_dtl.methods.style.tiles import reach, tiles, warn_of_work


class TiledObjective(StyleObjective):
    """The loss and the gradient of `StyleObjective`, found in two passes over tiles.

    The style loss depends on Gram matrices of the whole image, and these are sums over its
    positions. The first pass adds them up; the loss and its gradient in the Gram matrices are
    then known. The second pass takes that gradient, and the content's, down to the pixels of
    each tile. Tiles overlap by what the features can see, so that nothing is approximated.

    Args:
        method, content, regions, size: See `StyleObjective`.
        side: Of a tile, in pixels without its margin.
    """

    def __init__(self, method, content, regions, size, side):
        self.side = side
        self.strides, self.stride, self.margin = reach(method.features)
        super().__init__(method, content, regions, size)
        self.tiles = self._tiles(size)
        warn_of_work(self.tiles, size, side, self.margin)
        self.positions = [self._positions(masks, size) for masks in self.masks]

    def _tiles(self, size):
        return tiles(size, self.side, self.stride, self.margin)

    def _positions(self, masks, size):
        """Return what the sums of each layer are divided by; see `Perceptual.gram`."""
        shapes = layer_shapes(self.method, size)
        return {
            layer: float(np.prod(shapes[layer]) if mask is None else np.sum(np.square(mask)))
            for layer, mask in masks.items()
        }

    def describe_content(self, image):
        shapes, targets = layer_shapes(self.method, image.shape[1:3]), {}
        for tile in self._tiles(image.shape[1:3]):
            for layer, core in self._content_features(*_tensors(tile, image)).items():
                whole = targets.setdefault(
                    layer, np.zeros((1, *shapes[layer], core.shape[-1]), "float32")
                )
                self._cut(whole, layer, tile.core)[...] = core
        return targets

    def describe_style(self, image):
        masks, size = dict.fromkeys(self.method.layer_weights), image.shape[1:3]
        return self._whole_grams(image, [masks], [self._positions(masks, size)])[0]

    def __call__(self, image):
        losses, gradient = dict.fromkeys(self.method.tracked, 0.0), np.zeros_like(image)
        slopes = []
        if "style_loss" in self.term_names:
            grams = self._whole_grams(image, self.masks, self.positions)
            losses["style_loss"], slopes = self._slopes(grams)
        for tile in self.tiles:
            target = {k: self._cut(x, k, tile.core) for k, x in self.content.items()}
            masks = self._cut_masks(self.masks, tile)
            found = self._backward(*_tensors(tile, image), target, masks, slopes)
            losses["content_loss"] += float(found[0])
            tile.cut(gradient)[...] += found[1].numpy()
        if "variation_loss" in self.term_names:
            found = self._variation(tf.constant(image))
            losses["variation_loss"] = float(found[0])
            gradient += found[1].numpy()
        terms = {name: losses[name] for name in self.term_names}
        return Evaluation(sum(terms.values()), terms, gradient)

    def _cut(self, maps, layer, box):
        """Return the part of the maps of a layer that belongs to a box of pixels."""
        top, left, bottom, right = (side // self.strides[layer] for side in box)
        return maps[:, top:bottom, left:right]

    def _cut_masks(self, masks, tile):
        return [
            {k: None if x is None else self._cut(x, k, tile.core) for k, x in region.items()}
            for region in masks
        ]

    def _whole_grams(self, image, masks, positions):
        sums = None
        for tile in self._tiles(image.shape[1:3]):
            found = self._sums(*_tensors(tile, image), self._cut_masks(masks, tile))
            sums = found if sums is None else tf.nest.map_structure(tf.add, sums, found)
        return tf.nest.map_structure(tf.divide, sums, positions)

    def _slopes(self, grams):
        """Return the style loss and its gradient in the sums that Gram matrices are made of."""
        with tf.GradientTape() as tape:
            tape.watch(grams)
            loss = self.method.style_weight * self.style_term(grams)
        slopes = tape.gradient(loss, grams)
        return float(loss), tf.nest.map_structure(tf.divide, slopes, self.positions)

    # Tiles at the edges differ in size: these are traced for any.
    @tf.function(reduce_retracing=True)
    def _content_features(self, outer, inner):
        features = self.method.features(outer, training=False)
        return {x: self._cut(features[x], x, inner) for x in self.method.content_layers}

    @tf.function(reduce_retracing=True)
    def _sums(self, outer, inner, masks):
        return self._products(self.method.features(outer, training=False), inner, masks)

    def _products(self, features, inner, masks):
        """Return for each region the products of channels by layer, summed over a tile's core."""
        cores = {x: self._cut(features[x], x, inner) for x in self.method.layer_weights}
        return [
            {
                x: GramMatrix()(cores[x] if mask is None else cores[x] * mask)
                for x, mask in y.items()
            }
            for y in masks
        ]

    @tf.function(reduce_retracing=True)
    def _backward(self, outer, inner, target, masks, slopes):
        """Return the weighted content loss of a tile, and what both terms pull its pixels to."""
        with tf.GradientTape() as tape:
            tape.watch(outer)
            features = self.method.features(outer, training=False)
            content = self.method.content_weight * self._content_part(features, inner, target)
            pull = content
            if slopes:
                products = tf.nest.flatten(self._products(features, inner, masks))
                pull += tf.add_n(
                    [
                        tf.reduce_sum(slope * product)
                        for slope, product in zip(tf.nest.flatten(slopes), products, strict=True)
                    ]
                )
        return content, tape.gradient(pull, outer)

    def _content_part(self, features, inner, target):
        """Return what a tile's core adds to the content loss of the image."""
        total = tf.constant(0.0)
        for layer, goal in target.items():
            core = self._cut(features[layer], layer, inner)
            loss = content_loss(core, goal, self.method.loss_scale)
            total += tf.cast(self._share(layer, goal), "float32") * loss
        return total

    def _share(self, layer, goal):
        """Return the weight of a tile's content loss in that of the image."""
        if self.method.loss_scale == "paper":
            return 1.0  # a sum adds up as it is
        whole = self.content[layer]
        if self.method.loss_scale == "relative":
            return tf.reduce_sum(tf.square(goal)) / np.sum(np.square(whole, dtype="float64"))
        return tf.size(goal) / whole.size

    @tf.function(reduce_retracing=True)
    def _variation(self, image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = self.method.variation_weight * total_variation(image, self.method.loss_scale)
        return loss, tape.gradient(loss, image)


def _tensors(tile, image):
    """Return the outer part of a tile and the sides of its core as tensors, for one graph."""
    return tf.constant(tile.cut(image)), [tf.constant(side) for side in tile.inner]
