"""Images in the style of a painting."""
