"""What whoever runs the system needs beside it: its cost, its dead letters, its backups."""
