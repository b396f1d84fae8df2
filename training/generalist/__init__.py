"""The recipe of the generalist: one compact pyramid network taught on every set whose licence lets its weights ship."""
