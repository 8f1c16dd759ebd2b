"""app.example.com/v1."""
