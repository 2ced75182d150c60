"""The embedded PostgreSQL: `kezhi up` without ``--pg`` needs nothing installed but Python (ADR 17).

``programs`` finds the servers that a wheel carries, ``place`` says where data may lie and who may run a server,
``cluster`` makes and configures one, ``postmaster`` is one server process, ``server`` keeps it alive for an
installation, ``upgrade`` brings data to a newer major version.
"""
