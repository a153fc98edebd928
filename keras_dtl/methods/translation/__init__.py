"""Generators from images to images of another domain."""
