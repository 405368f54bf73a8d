"""From CSV files to a database, in checked steps."""
