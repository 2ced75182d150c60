"""Imported last by the process that children are forked from: no collection will write into the pages they share."""

import gc

gc.collect()
gc.freeze()
