"""What exported files compute, beside what the model itself does."""
