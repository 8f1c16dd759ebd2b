"""The types of the custom resources."""
