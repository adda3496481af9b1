import type { SyncTableInput } from '../../workflows/contract.ts';
import type { KeyReference, VaultReference } from '../settings/key.ts';
import { defaultTableSettings, intervalMs, type TableSettings } from '../settings/settings.ts';
import type { Table } from '../tables/table.ts';

/** How a run reads its table, as fields of the workflow's input. */
export type Method = Pick<SyncTableInput, 'syncMethod' | 'incrementalField' | 'fullReadEveryMs'>;

/** The same, from the settings of the table. */
export function toMethod({
  syncMethod,
  incrementalField,
  fullReadEvery = 'never',
}: Omit<TableSettings, 'every'>): Method {
  return {
    syncMethod,
    ...(incrementalField !== undefined && { incrementalField }),
    ...(fullReadEvery !== 'never' && { fullReadEveryMs: intervalMs(fullReadEvery) }),
  };
}

export type SourceInput = {
  readonly apiKey: KeyReference | VaultReference;
  readonly baseUrl: string;
  /** `dashboard_url`, or `unknown`. */
  readonly account: string;
  readonly giveUpAfterMinutes: number;
  /** Present for a scheduled run: nobody is waiting for it. */
  readonly periodic?: true;
  /** How long removed files stay readable; by default as long as the table itself says. */
  readonly retentionMs?: number;
};

/** The input of the workflow that syncs one table. */
export function inputOf(
  table: Table,
  source: SourceInput,
  method: Method = toMethod(defaultTableSettings(table)),
): SyncTableInput {
  const { apiKey, baseUrl, account, giveUpAfterMinutes, periodic, retentionMs } = source;
  return {
    run: {
      table: table.name,
      apiKey,
      baseUrl,
      account,
      ...(periodic && { periodic }),
      // A SIGKILL loses at most two minutes of reading; ten thousand rows are enough for a file of their own.
      limits: { batchRows: 10_000, batchMs: 120_000, giveUpAfterMs: giveUpAfterMinutes * 60_000 },
      ...(retentionMs !== undefined && { retentionMs }),
    },
    ...method,
  };
}
