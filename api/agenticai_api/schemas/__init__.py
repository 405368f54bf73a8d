"""The bodies that the API takes and gives; what is stored has its model in core."""
