"""One time line per customer, readable while every other service is down (CG-02)."""
