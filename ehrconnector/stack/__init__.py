"""Runs the whole connector on one machine: servers, processes, demonstration, benchmarks.

Plain Python: nothing here imports Django, so that it can prepare the environment Django reads.
"""
