"""Beyond one machine's memory and cores: results on disk, work on a Dask cluster."""
