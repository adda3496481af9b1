import { restartPolicy } from '../../workflows/restart.ts';
import type { SyncTableInput } from '../../workflows/contract.ts';
import { describeError } from './describe-error.ts';
import { defined } from '../defined.ts';
import { ApiUnavailableError, CredentialsError, PermissionError, UsageError } from '../errors.ts';
import { checkedBaseUrl, defaultBaseUrl } from '../incident-io/base-url.ts';
import { type Call, type Client, createClient } from '../incident-io/client.ts';
import { readIdentity } from '../incident-io/identity.ts';
import { assertReadable, readPermissions } from '../incident-io/permissions.ts';
import { checkedKey } from '../settings/key.ts';
import { assertColumns } from '../settings/columns-schema.ts';
import { defaultTableSettings, frequencies, intervalMs, retentions } from '../settings/settings.ts';
import { defaultTables, tableNamed, tables } from '../tables/index.ts';
import { parentAmong } from '../tables/parents.ts';
import { incrementalFieldsOf, syncMethodsOf, type Table } from '../tables/table.ts';
import { inputOf, type Method, type SourceInput, toMethod } from '../connections/runs/input.ts';
import { destinationQueue, tableWorkflowId, workerQueue } from '../temporal/names.ts';
import { destinationOf } from '../warehouse/store/destination.ts';
import type {
  FieldValues,
  SourceConfig,
  SourceTable,
  SyncTarget,
  TableSync,
  WarehouseSource,
  WorkflowStart,
} from './warehouse-source.ts';

const config: SourceConfig = {
  label: 'incident.io',
  caption: [
    'Enter an API key for your incident.io account to copy its data into tables.',
    'Create the key in incident.io under **Settings → API keys**, with the view scope of each resource that you want to sync. To sync private incidents as well, also grant the permission to view them.',
  ].join('\n\n'),
  docsUrl: 'https://api-docs.incident.io/',
  releaseStatus: 'alpha',
  fields: [
    {
      name: 'api_key',
      label: 'API key',
      type: 'password',
      required: true,
      secret: true,
      placeholder: 'inc_…',
    },
  ],
};

/** Someone is waiting in front of a form: an API that takes longer is reported as unavailable. */
const checkLimitMs = 30_000;

export type IncidentIoOptions = {
  /** Another address of the API, such as a sandbox. */
  readonly baseUrl?: string;
};

/** The source for an API at another address. Throws `UsageError` for an address that must not see the key. */
export function createIncidentIoSource({
  baseUrl: text = defaultBaseUrl,
}: IncidentIoOptions = {}): WarehouseSource {
  const baseUrl = checkedBaseUrl(text);
  return {
    name: 'incident_io',
    config,
    getTables: () => tables.map(toSourceTable),

    async validateCredentials(values, name) {
      const table = name === undefined ? undefined : tableNamed(name);
      try {
        return await checking(async (call) => {
          const client = clientOf(baseUrl, values);
          const { account } = await readIdentity(client, call);
          if (table) await assertReadable(client, table, call);
          return { valid: true, account };
        });
      } catch (error) {
        if (!isVerdict(error)) throw error;
        const { message, advice } = error;
        return { valid: false, message, advice };
      }
    },

    getTablePermissions: (values) =>
      checking((call) => readPermissions(clientOf(baseUrl, values), tables, call)),

    syncTable: (target, sync) => ({
      ...startOf('syncTable', target, sync.table, syncInput(baseUrl, target, sync)),
      retry: restartPolicy,
    }),

    syncSource(target, syncs = defaultTables.map(({ name }) => ({ table: name }))) {
      const names = new Set(syncs.map(({ table }) => table));
      const runs = syncs.map((sync) => ({
        workflowId: tableWorkflowId(destinationOf(target.destination), sync.table),
        input: syncInput(baseUrl, target, sync),
        ...defined({ after: parentAmong(tableNamed(sync.table), names) }),
      }));
      return startOf('syncSource', target, 'syncSource', { tables: runs });
    },

    async createWorker(options) {
      const { createSourceWorker } = await import('../worker.ts');
      return createSourceWorker(options);
    },

    describeError,
  };
}

/** incident.io as a source. */
export const incidentIoSource: WarehouseSource = createIncidentIoSource();

/** Whether an error means that the values are wrong; all other errors say nothing about them. */
function isVerdict(error: unknown): error is CredentialsError | PermissionError | UsageError {
  return error instanceof CredentialsError || error instanceof PermissionError || error instanceof UsageError;
}

function clientOf(baseUrl: string, { api_key: text }: FieldValues): Client {
  if (!text?.trim()) {
    throw new UsageError(
      'The API key is missing.',
      'Create one in incident.io under Settings → API keys and paste it here.',
    );
  }
  return createClient({ apiKey: checkedKey(text, 'the field API key'), baseUrl });
}

async function checking<T>(work: (call: Call) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const seconds = checkLimitMs / 1000;
  const timer = setTimeout(
    () => limit.abort(new ApiUnavailableError(`incident.io did not answer within ${seconds} s.`)),
    checkLimitMs,
  );
  try {
    return await work({ signal: limit.signal });
  } finally {
    clearTimeout(timer);
  }
}

function toSourceTable(table: Table): SourceTable {
  const { name, description, group, primaryKey, columns } = table;
  return {
    name,
    description,
    group,
    byDefault: defaultTables.includes(table),
    syncMethods: syncMethodsOf(table),
    incrementalFields: incrementalFieldsOf(table),
    defaults: defaultTableSettings(table),
    primaryKey,
    columns: Object.entries(columns).map(([name, { type, description, personal }]) => ({
      name,
      type,
      description,
      personal: personal === true,
    })),
  };
}

function startOf<Type extends string, Input>(
  workflowType: Type,
  target: SyncTarget,
  name: string,
  input: Input,
): WorkflowStart<Type, Input> {
  const destination = destinationOf(target.destination);
  return {
    workflowType,
    taskQueue: queueOf(target),
    workflowId: tableWorkflowId(destination, name),
    args: [input],
    memo: { arguments: JSON.stringify(input) },
  };
}

/** A platform that names no pool serves each destination's queue by a worker of its own. */
function queueOf({ destination: text, pool }: SyncTarget): string {
  const destination = destinationOf(text);
  return pool === undefined ? destinationQueue(destination) : workerQueue({ destination, pool });
}

function syncInput(baseUrl: string, target: SyncTarget, sync: TableSync): SyncTableInput {
  const { apiKey, account = 'unknown', giveUpAfterMinutes = 60, retention, personal, hashKey } = target;
  const table = tableNamed(sync.table);
  if (retention !== undefined) assertOffered(table, 'retention', retention, retentions);
  const source: SourceInput = {
    apiKey,
    baseUrl,
    account,
    giveUpAfterMinutes,
    periodic: true,
    ...defined({
      destination: target.pool === undefined ? undefined : destinationOf(target.destination),
      personal,
      hashKey,
      retentionMs: retention === undefined ? undefined : intervalMs(retention),
    }),
  };
  assertColumns(table, sync.columns, target);
  const input = inputOf(table, source, methodOf(table, sync), sync);
  // Workers that do not know the step do not serve a pool.
  return target.pool === undefined ? input : { ...input, quick: 'local' };
}

function methodOf(
  table: Table,
  { table: _table, syncMethod: asked, columns: _columns, nested: _nested, ...chosen }: TableSync,
): Method {
  const { every: _every, ...defaults } = defaultTableSettings(table, asked);
  const { syncMethod } = defaults;
  assertOffered(table, 'sync method', syncMethod, syncMethodsOf(table));
  if (syncMethod === 'full_refresh') return toMethod({ syncMethod });
  const settings = { ...defaults, ...chosen };
  const { incrementalField, fullReadEvery } = settings;
  const fields = incrementalFieldsOf(table);
  if (fields.length > 0 || incrementalField !== undefined)
    assertOffered(table, 'incremental field', incrementalField, fields);
  const isInterval =
    fullReadEvery === undefined || fullReadEvery === 'never' || intervalMs(fullReadEvery) > 0;
  if (!isInterval) assertOffered(table, 'fullReadEvery', fullReadEvery, [...frequencies, 'never']);
  return toMethod(settings);
}

function assertOffered<T extends string>(
  table: Table,
  what: string,
  value: string | undefined,
  offered: readonly T[],
): asserts value is T {
  if (value !== undefined && (offered as readonly string[]).includes(value)) return;
  throw new UsageError(
    `${table.name} has no ${what} ${JSON.stringify(value)}.`,
    `Use ${offered.join(' or ')}.`,
  );
}
