"""The closed vocabulary of packs: each measure and predicate is a function, in SQL and in Python, never code in YAML.

Measures read one relation, ``purchases(customer_id, occurred_on date, amount numeric, quantity numeric)``: one row per
purchase of the window, net of its refunds, customers that are left out already gone. ``as_of`` is the day of the run.
"""
