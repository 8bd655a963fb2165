"""R3 under fire: many at once on one account, and whatever can be killed is killed."""
