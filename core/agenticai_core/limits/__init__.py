"""How often a client may ask: token buckets, shared by instances, and a monthly quota."""
