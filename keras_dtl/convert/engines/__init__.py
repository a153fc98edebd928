"""Read, run and write at once: in threads, in processes beside, or on a Ray cluster."""
