"""The frame of every page: signing in and out, the language, the rail, the search box."""
