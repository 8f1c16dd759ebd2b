"""What each verb does: one module for each, from a request to a response."""
