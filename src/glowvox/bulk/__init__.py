"""Speech for a whole corpus: planned once, spoken shard by shard, on one machine or on a cluster, exactly once."""
