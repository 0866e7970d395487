"""Makes the test vectors. Shares no code with the crate nor with `checker`."""
