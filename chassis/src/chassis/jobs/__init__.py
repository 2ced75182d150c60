"""Long work: a job resource that callers poll, done step by step through due rows (decision 29)."""

from __future__ import annotations

from chassis.jobs.job import JobErrorRow, JobRow, answer, forget_finished, note_error, runs, start

__all__ = ["JobErrorRow", "JobRow", "answer", "forget_finished", "note_error", "runs", "start"]
