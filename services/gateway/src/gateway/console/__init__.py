"""The staff console and the public portal: pages rendered here, every fact and every right asked of its service."""
