import type { SyncTableInput } from '../../workflows/contract.ts';
import type { KeyReference, VaultReference } from '../settings/key.ts';
import { defaultTableSettings, intervalMs, type TableSettings } from '../settings/settings.ts';
import type { Table } from '../tables/table.ts';

/** How a run reads its table, as the workflow takes it. */
export type Method = Pick<SyncTableInput, 'syncMethod' | 'incrementalField' | 'fullReadEveryMs'>;

/** How a run reads its table, from the table's settings. */
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
  /** The run is a scheduled one: nobody is waiting for it. */
  readonly periodic?: true;
  /** How long removed files stay readable; if left out, as the table has it. */
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
      // A batch of two minutes is what a SIGKILL costs at most; ten thousand rows make a part worth a file.
      limits: { batchRows: 10_000, batchMs: 120_000, giveUpAfterMs: giveUpAfterMinutes * 60_000 },
      ...(retentionMs !== undefined && { retentionMs }),
    },
    ...method,
  };
}
