"""What a month of an environment costs, item by item."""
