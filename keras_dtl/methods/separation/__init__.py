"""Content apart from style or view."""
