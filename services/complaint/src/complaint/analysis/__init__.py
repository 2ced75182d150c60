"""Analysis: weekly and monthly reports whose figures reconcile, KPIs with honest denominators (CG-17, FR-10, TR-20)."""
