"""What may be asked of a planned query: its orders, why not another order, alternatives, and more."""
