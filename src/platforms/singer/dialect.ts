import type { Dialect } from '../columns.ts';
import type { PlatformConfig } from '../config.ts';

/** The column that Singer's targets delete by. */
const deletedAt = '_sdc_deleted_at';

export function singerDialect({ json }: Pick<PlatformConfig, 'json'>): Dialect {
  return { json, deletedAt, timestamps: {} };
}
