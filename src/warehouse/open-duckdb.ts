import './duckdb-allocator.ts';

import type { DuckDBInstance } from '@duckdb/node-api';

/** How much of the machine a DuckDB may use. */
export type QueryLimits = {
  readonly threads: number;
  /** Such as `512MB`. */
  readonly memory: string;
  /** The most that it writes to the spill folder, such as `2GB`; left out, most of what is free there. */
  readonly spilled?: string;
};

/**
 * A DuckDB in memory that loads no extensions: the package brings none, and DuckDB would download them.
 * @param options.spill a local folder for what does not fit in memory
 * @param options.limits left out, DuckDB takes what the machine has
 */
export async function openDuckDb({
  spill,
  limits,
}: {
  readonly spill: string;
  readonly limits?: QueryLimits;
}): Promise<DuckDBInstance> {
  // Loading it takes a tenth of a second of processor time, and many commands never need it.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  return DuckDBInstance.create(':memory:', {
    temp_directory: spill,
    ...(limits && { threads: String(limits.threads), memory_limit: limits.memory }),
    ...(limits?.spilled !== undefined && { max_temp_directory_size: limits.spilled }),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // Gives unused memory back to the system within seconds. Otherwise it is kept, however long nothing runs.
    allocator_background_threads: 'true',
    // The cache keeps the contents of files, which are read only once or twice: memory would grow with every run.
    enable_external_file_cache: 'false',
  });
}
