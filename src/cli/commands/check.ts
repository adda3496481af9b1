import { Command } from 'commander';
import { type Call, createClient } from '../../incident-io/client.ts';
import { type Identity, readIdentity } from '../../incident-io/identity.ts';
import { readPermissions, type TablePermission } from '../../incident-io/permissions.ts';
import { describeKey, type KeyReference, resolveKey } from '../../settings/key.ts';
import { tablesNamed } from '../../tables/index.ts';
import { examples } from '../terminal/help.ts';
import { addKeyOptions, type KeyOptions, keyReferenceOf } from '../options/key-options.ts';
import { count, printJson, printTable, visible } from '../terminal/output.ts';
import type { Session } from '../session.ts';

/** `check`: what the API key belongs to and may read. */
export function checkCommand(session: Session): Command {
  return addKeyOptions(
    new Command('check').description('check the API key: its account, and which tables it may read'),
  )
    .argument('[table...]', 'the tables to check; all of them when none is named')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        ['With the key in INCIDENT_IO_API_KEY', 'incident-io-source check'],
        ['Two tables', 'incident-io-source check incidents alerts'],
        ['With the key in a file', 'incident-io-source check --key-file /run/secrets/incident-io'],
        [
          'Against a sandbox (incident-io-source sandbox)',
          'incident-io-source check --base-url http://127.0.0.1:8080',
        ],
        [
          'Tables the key may not read',
          `incident-io-source check --json | jq -r '.tables[] | select(.allowed | not).table'`,
        ],
      ),
    )
    .action((names: string[], options: KeyOptions & { json?: true }) => check(session, names, options));
}

async function check(
  session: Session,
  names: readonly string[],
  options: KeyOptions & { readonly json?: true },
): Promise<void> {
  const tables = tablesNamed(names);
  const reference = keyReferenceOf(options);
  const client = createClient({ apiKey: await resolveKey(reference), baseUrl: options.baseUrl });
  const call: Call = { signal: session.signal };
  const identity = await readIdentity(client, call);
  const permissions = await readPermissions(client, tables, call);
  if (permissions.some(({ allowed }) => !allowed)) session.exitCode = 1;
  if (options.json) {
    printJson(session.stdout, {
      account: identity.account,
      key_name: identity.name ?? null,
      global_access: hasGlobalAccess(identity) ?? null,
      tables: permissions,
    });
  } else {
    printReport(session, reference, identity, permissions);
  }
}

/**
 * Whether the key sees private incidents; without this role the API leaves them out of its lists silently.
 * `undefined` where the roles could not be read.
 */
function hasGlobalAccess({ visibility }: Identity): boolean | undefined {
  if (visibility === 'unknown') return undefined;
  return (JSON.parse(visibility) as { readonly roles: readonly string[] }).roles.includes('global_access');
}

function printReport(
  { stdout, stderr }: Session,
  reference: KeyReference,
  identity: Identity,
  permissions: readonly TablePermission[],
): void {
  stdout.write(`account  ${visible(identity.account)}\n`);
  stdout.write(`API key  ${visible(identity.name ?? 'unnamed')} (${describeKey(reference)})\n\n`);
  printTable(stdout, permissions, [
    { head: 'table', value: ({ table }) => table },
    { head: 'may be read', value: (permission) => verdictOn(permission), wrap: true },
  ]);
  stdout.write('\n');
  const globalAccess = hasGlobalAccess(identity);
  if (globalAccess === undefined) {
    stderr.write('warning: the identity of the key could not be read: it may see public incidents only.\n');
  } else if (!globalAccess) {
    stderr.write('warning: private incidents are absent: the key lacks the role global_access.\n');
  }
  const refused = permissions.filter((permission) => !permission.allowed);
  if (refused.length === 0) {
    const all = permissions.length === 1 ? permissions[0]!.table : `all ${permissions.length} tables`;
    stdout.write(`The key may read ${all}.\n`);
    return;
  }
  stderr.write(`error: ${refused.length} of ${count(permissions.length, 'table')} cannot be read.\n`);
  const scopes = new Set(refused.flatMap(({ scope }) => scope ?? []));
  if (scopes.size > 0) {
    stderr.write(`  → Grant the API key ${listed([...scopes])} in incident.io under Settings → API keys.\n`);
  } else {
    stderr.write('  → Check the base URL, and what the answers above say.\n');
  }
}

function verdictOn(permission: TablePermission): string {
  if (permission.allowed) return 'yes';
  return permission.scope === undefined
    ? `no: ${permission.message}`
    : `no: scope ${permission.scope} is missing`;
}

function listed(scopes: readonly string[]): string {
  return scopes.length === 1 ? `the scope ${scopes[0]}` : `the scopes ${scopes.join(', ')}`;
}
