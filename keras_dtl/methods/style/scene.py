"""What is put together in one image: a content, styles, and where each of them acts."""

import math
from typing import NamedTuple

import numpy as np

from keras_dtl.methods.style import images as style_images


class Region(NamedTuple):
    """A part of the image and the styles that act there."""

    mask: np.ndarray | None
    """float32 `(1, height, width, 1)` in 0..1, or None for the whole image."""
    share: float
    """How much its style loss counts; over all regions 1."""
    styles: list
    """`[(weight, float image), ...]`, whose weights add up to 1."""


class Scene:
    """The images of a transfer, checked, and what they are at each size.

    Args:
        content, styles, style_weights, masks, style_scale, colors: See `StyleTransfer.stylize`.
    """

    def __init__(self, content, styles, style_weights, masks, style_scale, colors):
        styles = list(styles)
        if content is not None:
            style_images.check_image(content, "The content")
        for style in styles:
            style_images.check_image(style, "A style")
        if content is None and not styles:
            raise ValueError("Give a content, styles, or both. Received: neither.")
        if not 0 < style_scale < math.inf:
            raise ValueError(f"`style_scale` must be finite and above 0. Received: {style_scale}")
        self.content, self.styles = style_images.prepare_colors(content, styles, colors)
        self.shares = _shares(style_weights, len(styles))
        self.masks = _one_each(masks, styles, "masks")
        self.style_scale = style_scale

    @property
    def settings(self):
        return [self.shares, self.style_scale, self.content is None, self.masks is None]

    @property
    def images(self):
        """All arrays that decide the result."""
        content = [] if self.content is None else [self.content]
        return [*content, *self.styles, *(np.asarray(mask) for mask in self.masks or ())]

    def size(self, longer_side):
        """Return the `(height, width)` of the image whose longer side has so many pixels."""
        reference = self.styles[0] if self.content is None else self.content
        return style_images.size_within(reference, longer_side)

    def at(self, size):
        """Return the content and the regions of styles for an image of a size.

        Returns:
            `(content, regions)` as `StyleObjective` takes them.
        """
        content = None if self.content is None else style_images.to_float(self.content, size)
        styles = [
            style_images.to_float(style, style_images.size_like(style, size, self.style_scale))
            for style in self.styles
        ]
        if self.masks is None:
            blend = list(zip(self.shares, styles, strict=True))
            return content, [Region(None, 1.0, blend)] if blend else []
        masks = [style_images.to_float_mask(mask, size) for mask in self.masks]
        return content, [
            Region(mask, share, [(1.0, style)])
            for mask, share, style in zip(masks, self.shares, styles, strict=True)
        ]


def _shares(weights, count):
    """Return weights that add up to 1."""
    weights = [1.0] * count if weights is None else [float(weight) for weight in weights]
    if len(weights) != count or not all(0 <= weight < math.inf for weight in weights):
        raise ValueError(
            "`style_weights` must hold a finite number of 0 or more for each of the "
            f"{count} styles. Received: {weights}"
        )
    total = sum(weights)
    if count and not total:
        raise ValueError("At least one of `style_weights` must be above 0.")
    return [weight / total for weight in weights]


def _one_each(masks, styles, name):
    if masks is None:
        return None
    masks = list(masks)
    if len(masks) != len(styles):
        raise ValueError(
            f"`{name}` must hold one mask for each of the {len(styles)} styles. "
            f"Received: {len(masks)}"
        )
    return masks
