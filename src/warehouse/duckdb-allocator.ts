/**
 * Read by DuckDB's allocator when the package is loaded, so this module must be imported first. Jobs run on several
 * threads; with arenas for each of them, the allocator would keep what the largest job on each one needed.
 */
process.env['DUCKDB_JE_MALLOC_CONF'] ??= 'narenas:1';
