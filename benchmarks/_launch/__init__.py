"""What the benchmark ``launch`` is made of."""
