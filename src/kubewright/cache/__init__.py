"""Informers: what the API server holds, kept as bytes until read."""
