"""Forms of the pages about texts."""
