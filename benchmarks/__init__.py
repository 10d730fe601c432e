"""Measurements of the running product, judged by what the other systems received."""
