"""``kezhi demo``: a believable company to look at, made through the public interfaces and nothing else."""

from __future__ import annotations

from kezhi.demo.run import demo

__all__ = ["demo"]
