import { Command } from 'commander';
import { estimateRequests } from '../../connections/request-estimate.ts';
import type { Call } from '../../incident-io/client.ts';
import type { Identity } from '../../incident-io/identity.ts';
import type { TablePermission } from '../../incident-io/permissions.ts';
import { describeKey, type KeyReference, resolveKey } from '../../settings/key.ts';
import { inGroups, selectedTables, tableNamed } from '../../tables/index.ts';
import { addKeyOptions, type KeyOptions, keyReferenceOf } from '../options/key-options.ts';
import type { Session } from '../session.ts';
import { requestColumns, requestsInWords } from '../terminal/requests.ts';
import { examples } from '../terminal/help.ts';
import { count, printJson, printTable, visible } from '../terminal/output.ts';
import { writeText } from '../terminal/text.ts';

/** `check`: whose API key it is, and what it can read. */
export function checkCommand(session: Session): Command {
  return addKeyOptions(new Command('check'))
    .argument('[table...]', 'the tables to check; the default tables if none is named')
    .option('--all', 'check every table but those that have to be named')
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
          'Tables that the key cannot read',
          `incident-io-source check --json | jq -r '.tables[] | select(.allowed | not).table'`,
        ],
      ),
    )
    .action((names: string[], options: CheckOptions) => check(session, names, options));
}

type CheckOptions = KeyOptions & { readonly json?: true; readonly all?: true };

async function check(session: Session, names: readonly string[], options: CheckOptions): Promise<void> {
  // Loaded here, so that --help and --version need not wait for the HTTP client.
  const [{ createClient }, { readIdentity }, { readPermissions }] = await Promise.all([
    import('../../incident-io/client.ts'),
    import('../../incident-io/identity.ts'),
    import('../../incident-io/permissions.ts'),
  ]);
  const tables = selectedTables(names, options.all);
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
      requests: estimateRequests(permissions),
    });
  } else {
    printReport(session, reference, identity, permissions);
  }
}

/**
 * Whether the key sees private incidents; without this role the API silently leaves them out of its lists.
 * `undefined` if the roles could not be read.
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
  const columns = requestColumns(permissions);
  for (const [group, tables] of inGroups(permissions.map(({ table }) => tableNamed(table)))) {
    const own = permissions.filter(({ table }) => tables.some(({ name }) => name === table));
    stdout.write(`${group}\n`);
    printTable(stdout, own, [
      { head: 'table', value: ({ table }) => table },
      ...columns,
      { head: 'readable', value: (permission) => verdictOn(permission), wrap: true },
    ]);
    stdout.write('\n');
  }
  writeText(stdout, requestsInWords(permissions));
  stdout.write('\n');
  const globalAccess = hasGlobalAccess(identity);
  if (globalAccess === undefined) {
    writeText(
      stderr,
      'warning: the identity of the key could not be read, so it is not known whether it sees private incidents.',
    );
  } else if (!globalAccess) {
    writeText(
      stderr,
      'warning: the key does not see private incidents, because it lacks the role global_access.\n' +
        '  → To sync them, create a key with “View all incident data, including private incidents”.',
    );
  }
  const refused = permissions.filter((permission) => !permission.allowed);
  if (refused.length === 0) {
    const all = permissions.length === 1 ? permissions[0]!.table : `all ${permissions.length} tables`;
    stdout.write(`The key can read ${all}.\n`);
    return;
  }
  const scopes = new Set(refused.flatMap(({ scope }) => scope ?? []));
  const advice =
    scopes.size > 0
      ? `Grant the API key ${listed([...scopes])} in incident.io under Settings → API keys.`
      : 'Check the base URL, and the reasons above.';
  writeText(
    stderr,
    `error: ${refused.length} of ${count(permissions.length, 'table')} cannot be read.\n  → ${advice}`,
  );
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
