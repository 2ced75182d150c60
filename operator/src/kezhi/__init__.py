"""The ``kezhi`` command: everything operations do with an installation, from the shell."""
