"""Who the customer is: names, identities, contacts, and every change of them (CG-01, CG-03, AD-08)."""
