"""A second reading of the rules: verifies vouchers without code from the crate or from `generator`."""
