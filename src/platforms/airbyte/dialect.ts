import type { PlatformConfig } from '../config.ts';
import type { Dialect } from '../columns.ts';

/** The column that Airbyte's destinations delete by. */
const deletedAt = '_ab_cdc_deleted_at';

export function airbyteDialect({ json }: Pick<PlatformConfig, 'json'>): Dialect {
  return { json, deletedAt, timestamps: { airbyte_type: 'timestamp_with_timezone' } };
}
