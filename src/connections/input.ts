import type { SyncTableInput } from '../../workflows/sync-table.ts';
import type { KeyReference, VaultReference } from '../settings/key.ts';
import type { Table } from '../tables/table.ts';

export type Method = Pick<SyncTableInput, 'method' | 'incrementalField' | 'fullReadEveryMs'>;

/** How a table is kept current unless somebody says otherwise. */
export function defaultMethod({ methods: [method], incrementalFields: [field] }: Table): Method {
  return method === 'incremental' && field !== undefined ? { method, incrementalField: field } : { method };
}

export type SourceInput = {
  readonly apiKey: KeyReference | VaultReference;
  readonly baseUrl: string;
  /** `dashboard_url`, or `unknown`. */
  readonly account: string;
  readonly giveUpAfterMinutes: number;
  /** Nobody waits for the run: it comes again by itself. */
  readonly periodic?: true;
  /** For how long removed files stay readable; left out, as the table has it. */
  readonly retentionMs?: number;
};

/** A run of one table, as its workflow takes it. */
export function inputOf(
  table: Table,
  source: SourceInput,
  method: Method = defaultMethod(table),
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
