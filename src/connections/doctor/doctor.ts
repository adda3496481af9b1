import { createClient } from '../../incident-io/client.ts';
import { type Identity, readIdentity } from '../../incident-io/identity.ts';
import { readPermissions } from '../../incident-io/permissions.ts';
import { resolveAddress } from '../../notify/send.ts';
import { describeKey, type KeyReference, resolveKey } from '../../settings/key.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { defaultStateDir } from '../../temporal/dev-server/folders.ts';
import { openDestination } from '../../warehouse/open-warehouse.ts';
import { bucketOf } from '../../warehouse/store/destination.ts';
import { resolveSecrets } from '../../webhooks/secrets.ts';
import { type Check, type Finding, look, ok, skipped, type Verdict, wrong } from './finding.ts';
import { clockVerdict, diskVerdict, filesVerdict, proxyVerdict } from './machine.ts';

/** What `doctor` checks. */
export type Patient = Pick<Settings, 'webhooks' | 'notify'> & {
  readonly apiKey: KeyReference;
  readonly baseUrl: string;
  /** As `destinationOf` gives it; missing if none has been chosen yet. */
  readonly destination: string | undefined;
  /** The tables that the key has to be able to read. */
  readonly tables: readonly Table[];
  readonly env: NodeJS.ProcessEnv;
  /** Takes a line about something slow. */
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
};

/**
 * Checks everything that a connection needs. Creates a missing folder for the tables, and changes nothing else. Throws
 * only for defects.
 */
export async function examine(patient: Patient): Promise<Finding[]> {
  const { destination, env, webhooks, notify } = patient;
  const onDisk = [
    ...(destination === undefined || bucketOf(destination) ? [] : [destination]),
    ...(env['TEMPORAL_ADDRESS'] ? [] : [defaultStateDir(env)]),
  ];
  const findings = await Promise.all([
    look('temporal', () => temporalVerdict(patient)),
    keyFindings(patient),
    look('destination', () => destinationVerdict(destination)),
    look('disk', () => diskVerdict(onDisk)),
    look('proxy', () => proxyVerdict(env)),
    look('open_files', filesVerdict),
    ...(webhooks ? [look('webhooks', () => secretVerdict(webhooks.secret))] : []),
    ...(notify ? [look('notify', () => addressVerdict(notify.url))] : []),
  ]);
  return findings.flat();
}

async function temporalVerdict({ env, report }: Patient): Promise<Verdict> {
  const access = await connectTemporal({ env, report });
  const { address, namespace, embedded, uiAddress } = access;
  await access.close();
  if (!embedded) return ok(`the server at ${address} answers and has the namespace ${namespace}`);
  const ui = uiAddress === undefined ? '' : `, with a web UI at ${uiAddress} while it runs`;
  return ok(`the embedded server starts, at ${address}${ui}`);
}

/** The key, what it can read, and the clock, which is compared with the API's answer. */
async function keyFindings({ apiKey, baseUrl, tables, signal }: Patient): Promise<Finding[]> {
  let answer: Identity | undefined;
  let client: ReturnType<typeof createClient> | undefined;
  const key = await look('api_key', async () => {
    client = createClient({ apiKey: await resolveKey(apiKey), baseUrl });
    answer = await readIdentity(client, { signal });
    return ok(`${describeKey(apiKey)} belongs to ${answer.account}`);
  });
  const known = answer;
  if (!client || !known) return [key, ...notAsked(['scopes', 'clock'])];
  const scopes = await look('scopes', () => scopesVerdict(client!, tables, signal));
  return [key, scopes, await look('clock', () => clockVerdict(known.answeredAt, Date.now()))];
}

function notAsked(checks: readonly Check[]): Finding[] {
  return checks.map((check) => ({ check, ...skipped('not checked until the key is right') }));
}

async function scopesVerdict(
  client: ReturnType<typeof createClient>,
  tables: readonly Table[],
  signal: AbortSignal,
): Promise<Verdict> {
  const permissions = await readPermissions(client, tables, { signal });
  const refused = permissions.flatMap((permission) => (permission.allowed ? [] : [permission]));
  if (refused.length === 0) return ok(`the key can read all ${tables.length} tables`);
  const scopes = [...new Set(refused.flatMap(({ scope }) => scope ?? []))];
  const names = refused.map(({ table }) => table).join(', ');
  return wrong(
    `the key cannot read ${names}`,
    scopes.length > 0
      ? `Grant the API key ${scopes.join(', ')} in incident.io under Settings → API keys, or leave these tables out.`
      : refused.map(({ table, message }) => `${table}: ${message}`).join(' '),
  );
}

async function destinationVerdict(destination: string | undefined): Promise<Verdict> {
  if (destination === undefined)
    return skipped('no settings here, and no --to: nothing says where the tables go');
  const warehouse = await openDestination(destination);
  try {
    await warehouse.assertWritable();
  } finally {
    await warehouse.close();
  }
  return ok(`${destination} supports everything that tables need`);
}

/** Only a delivery can show whether it is the secret of the endpoint. */
async function secretVerdict(secret: KeyReference): Promise<Verdict> {
  await resolveSecrets(secret);
  return ok(`${describeKey(secret)} holds a signing secret`);
}

/** No message is sent: people would read it. */
async function addressVerdict(url: KeyReference): Promise<Verdict> {
  await resolveAddress(url);
  return ok(`${describeKey(url)} holds an address for messages`);
}
