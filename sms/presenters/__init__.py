"""What the pages about texts say; the templates decide nothing."""
