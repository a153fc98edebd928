"""Image files as models take them, and what goes back to the files that are written."""
