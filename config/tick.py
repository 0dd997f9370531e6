"""What the engine's tick and its hourly pruning do for the layers above, which the engine does not know."""

# Done at each tick, before the lanes are woken: a count's name, and what answers at it.
TICK_PARTS = {"funded": "apps.orders.budgets.fund"}
# Done at most once a minute: nets, which look at everything that might have fallen through.
NETS = {"given_back": "apps.orders.budgets.give_back_what_is_left"}
# Done at each pruning.
PRUNERS = ("apps.providers.wavespeed.uploads.prune_uploads", "apps.providers.skew.prune_skews")
