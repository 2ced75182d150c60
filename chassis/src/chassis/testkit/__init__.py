"""What tests of every package stand on: real databases and brokers, a clock that obeys, signed-in clients."""
