"""Templates: files with variables, from which a project is made without planning it."""
