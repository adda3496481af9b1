import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { Patient } from '../../connections/doctor/doctor.ts';
import type { Finding } from '../../connections/doctor/finding.ts';
import { UsageError } from '../../errors.ts';
import { checkedBaseUrl } from '../../incident-io/base-url.ts';
import { hideSecrets } from '../../secrets.ts';
import { defaultSettingsFile } from '../../settings/settings.ts';
import { defaultTables, tableNamed } from '../../tables/index.ts';
import { anyBucket, destinationOf } from '../../warehouse/store/destination.ts';
import { addKeyOptions, type KeyOptions, keyReferenceOf } from '../options/key-options.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';
import { printJson, visible } from '../terminal/output.ts';
import { widthOf, wrapped } from '../terminal/text.ts';

type DoctorOptions = KeyOptions & { readonly settings?: string; readonly to?: string; readonly json?: true };

/** `doctor`: is everything that a connection needs in order? */
export function doctorCommand(session: Session): Command {
  const command = new Command('doctor')
    .description(
      'check everything that a connection needs: Temporal and its namespace, the key and its scopes, the clock, the ' +
        'destination, disk space, proxy variables, open files, and what webhooks and messages need if they are set; ' +
        'each problem comes with its fix; creates the destination if it is missing; exits with 1 if something is wrong',
    )
    .addOption(
      new Option(
        '--settings <file>',
        'settings of the connection (default: incident-io.json, if it is here)',
      ),
    )
    .option('--to <destination>', `without settings: the folder or ${anyBucket} to check`)
    .option('--json', 'print JSON');
  return addKeyOptions(command)
    .addHelpText(
      'after',
      examples(
        ['Before link, with a key in INCIDENT_IO_API_KEY', 'incident-io-source doctor --to ./warehouse'],
        ['The connection of this folder', 'incident-io-source doctor'],
        ['What is wrong?', `incident-io-source doctor --json | jq '.[] | select(.state == "wrong")'`],
      ),
    )
    .action((options: DoctorOptions) => doctor(session, command, options));
}

async function doctor(session: Session, command: Command, options: DoctorOptions): Promise<void> {
  const { examine } = await import('../../connections/doctor/doctor.ts');
  const { stderr, signal } = session;
  const report = (line: string) => void stderr.write(`${line}\n`);
  const patient = { ...(await subjectOf(command, options)), env: process.env, report, signal };
  const findings = await examine(patient);
  if (findings.some(({ state }) => state === 'wrong')) session.exitCode = 1;
  if (options.json) printJson(session.stdout, findings);
  else print(session, findings);
}

/** What to check: the connection of the settings, or what the options say. */
async function subjectOf(
  command: Command,
  options: DoctorOptions,
): Promise<Omit<Patient, 'env' | 'report' | 'signal'>> {
  const { settings, to } = options;
  const given = (['to', 'keyFile', 'baseUrl'] as const).find(
    (name) => command.getOptionValueSource(name) === 'cli',
  );
  if (settings !== undefined && given !== undefined) {
    const flag = command.options.find((option) => option.attributeName() === given)!.long!;
    throw new UsageError(
      `${flag} and --settings cannot be used together: the settings already define it.`,
      'Leave out one of them.',
    );
  }
  if (settings === undefined && (given !== undefined || !existsSync(defaultSettingsFile))) {
    return {
      apiKey: keyReferenceOf(options),
      baseUrl: checkedBaseUrl(options.baseUrl),
      destination: to === undefined ? undefined : destinationOf(to),
      tables: defaultTables,
    };
  }
  const { readSettings } = await import('../../settings/file.ts');
  const found = await readSettings(settings ?? defaultSettingsFile);
  return { ...found, tables: Object.keys(found.tables).map(tableNamed) };
}

const signs: { readonly [S in Finding['state']]: string } = { ok: 'ok', wrong: 'WRONG', skipped: '-' };
const margin = 7;

const names: { readonly [C in Finding['check']]: string } = {
  temporal: 'Temporal',
  api_key: 'API key',
  scopes: 'scopes',
  clock: 'clock',
  destination: 'destination',
  disk: 'disk',
  proxy: 'proxy',
  open_files: 'open files',
  webhooks: 'webhooks',
  notify: 'messages',
};

function print({ stdout }: Session, findings: readonly Finding[]): void {
  for (const { check, state, message, advice } of findings) {
    const remedy = advice === undefined ? '' : `\n→ ${advice}`;
    const lines = wrapped(
      hideSecrets(`${names[check]}: ${visible(message)}${remedy}`),
      widthOf(stdout) - margin,
    );
    const [first, ...others] = lines.split('\n');
    const rest = others.map((line) => `${' '.repeat(margin)}${line}\n`).join('');
    stdout.write(`${signs[state].padEnd(margin)}${first}\n${rest}`);
  }
}
