import type { SyncTableInput } from '../../../workflows/contract.ts';
import type { KeyReference, VaultReference } from '../../settings/key.ts';
import {
  type ColumnSettings,
  defaultTableSettings,
  intervalMs,
  type PersonalChoice,
  type TableSettings,
} from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';

/** How a run reads its table, as fields of the workflow's input. */
export type Method = Pick<SyncTableInput, 'syncMethod' | 'incrementalField' | 'fullReadEveryMs'>;

/** The same, from the settings of the table. */
export function toMethod({
  syncMethod,
  incrementalField,
  fullReadEvery = 'never',
}: Pick<TableSettings, 'syncMethod' | 'incrementalField' | 'fullReadEvery'>): Method {
  return {
    syncMethod,
    ...(incrementalField !== undefined && { incrementalField }),
    ...(fullReadEvery !== 'never' && { fullReadEveryMs: intervalMs(fullReadEvery) }),
  };
}

export type SourceInput = {
  /** For a queue that several destinations share. */
  readonly destination?: string;
  readonly apiKey: KeyReference | VaultReference;
  readonly baseUrl: string;
  /** `dashboard_url`, or `unknown`. */
  readonly account: string;
  readonly giveUpAfterMinutes: number;
  /** Present for a scheduled run: no one is waiting for it. */
  readonly periodic?: true;
  /** How personal data is treated; by default it lands unchanged. */
  readonly personal?: PersonalChoice;
  /** Where the hash key is, for `hash`. */
  readonly hashKey?: KeyReference | VaultReference;
  /** How long removed files stay readable; by default as long as the table itself says. */
  readonly retentionMs?: number;
};

/** The input of the workflow that syncs one table. */
export function inputOf(
  table: Table,
  source: SourceInput,
  method: Method = toMethod(defaultTableSettings(table)),
  { columns, nested }: Pick<TableSettings, 'columns' | 'nested'> = {},
): SyncTableInput {
  const { destination, apiKey, baseUrl, account, giveUpAfterMinutes, periodic, retentionMs } = source;
  const rules = rulesOf(source, columns);
  return {
    run: {
      table: table.name,
      ...(destination !== undefined && { destination }),
      apiKey,
      baseUrl,
      account,
      ...(periodic && { periodic }),
      // A SIGKILL loses at most two minutes of reading, and ten thousand rows are enough for a file of their own.
      limits: { batchRows: 10_000, batchMs: 120_000, giveUpAfterMs: giveUpAfterMinutes * 60_000 },
      ...(retentionMs !== undefined && { retentionMs }),
      ...(rules && { columns: rules }),
      ...(nested === false && { withoutNested: true }),
    },
    ...method,
  };
}

/** `undefined` if everything lands as it is. */
function rulesOf(
  { personal = 'keep', hashKey }: SourceInput,
  { exclude = [], land = [] }: ColumnSettings = {},
): SyncTableInput['run']['columns'] {
  const rules = {
    ...(exclude.length > 0 && { exclude }),
    ...(land.length > 0 && { land }),
    ...(personal !== 'keep' && { personal }),
    ...(personal === 'hash' && hashKey && { hashKey }),
  };
  return Object.keys(rules).length > 0 ? rules : undefined;
}
