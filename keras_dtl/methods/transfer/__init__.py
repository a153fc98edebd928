"""Networks that learn on from what others learnt."""
