"""What everything else stands on: distances, optional packages, cores, the cache. Imports nothing of ours."""
