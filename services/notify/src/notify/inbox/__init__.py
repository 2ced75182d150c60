"""Inbox: the staff's own messages and tasks."""
