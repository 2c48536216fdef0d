"""A store for runs on Redis or Valkey."""
