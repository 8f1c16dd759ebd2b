"""The pytest plugin, the test environment and its waiters."""
