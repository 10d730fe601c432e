"""Invented history for a hospital of the demonstration, so that its reports can be judged."""
