"""Customers by the file: streamed in, worked off as a job, every row accounted for."""
