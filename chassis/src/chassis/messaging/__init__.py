"""Messages: outbox, relay, inbox, consumers, retry ladder and dead letters."""
