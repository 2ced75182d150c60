"""Complaints as staff work on them: the queue, the board, one case, intake by telephone, call-backs, reports."""
