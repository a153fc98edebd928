"""A classifier that holds in another domain."""
