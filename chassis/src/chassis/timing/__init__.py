"""Time: working calendars, rows that are due, recurring schedules. No timers in memory."""
