import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { startConsole } from '../../../src/console/console.ts';
import { type Answer, type Body, type EndpointName, endpoints } from '../../../src/console/contract.ts';
import { Sources } from '../../../src/console/sources.ts';
import { createLog } from '../../../src/serving/logs.ts';
import { ServedQueues } from '../../../src/serving/served-queues.ts';
import { temporaryFolder } from '../../helpers/sync.ts';
import { accessOf, type TestTemporal } from '../../helpers/temporal.ts';

/** An answer that is not 2xx. */
export class Refused extends Error {
  readonly status: number;
  readonly problem: { readonly error: string; readonly message: string; readonly advice?: string };
  constructor(status: number, text: string) {
    super(`${status} ${text}`);
    this.status = status;
    this.problem = JSON.parse(text) as Refused['problem'];
  }
}

/** A console over an empty folder, on the tests' Temporal server, which serves what is linked. */
export async function openConsole(temporal: TestTemporal) {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'settings'));
  vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'config'));
  onTestFinished(() => void vi.unstubAllEnvs());
  /** Everything that the console has sent to any client. */
  const said: string[] = [];
  const log = createLog({ write: (line) => said.push(line) });
  const { client, workflowBundle } = temporal;
  const access = accessOf(temporal);
  const queues = new ServedQueues(access, log, { workflowBundle });
  const running = await startConsole(
    {
      client,
      sources: new Sources([join(folder, 'settings')]),
      log,
      signal: new AbortController().signal,
      temporalUi: 'http://127.0.0.1:8233',
      sandbox: undefined,
      serve: (settings) => queues.serve(settings),
    },
    { listen: '127.0.0.1:0' },
  );
  onTestFinished(async () => {
    await running.close();
    await queues.close();
  });
  const { url } = running;
  const { origin } = new URL(url);
  const headers = { Authorization: `Bearer ${running.access.token}`, 'Content-Type': 'application/json' };

  /** Calls an endpoint, and checks that the answer matches the contract. Throws `Refused`. */
  async function ask<Name extends EndpointName>(
    name: Name,
    path: { readonly [name: string]: string | number } = {},
    body?: Body<Name>,
  ): Promise<Answer<Name>> {
    const { method, path: template, answer } = endpoints[name];
    const response = await fetch(`${origin}${filled(template, path)}`, {
      method: method.toUpperCase(),
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    said.push(text);
    if (!response.ok) throw new Refused(response.status, text);
    return answer.parse(JSON.parse(text)) as Answer<Name>;
  }

  /** Follows a stream until the wanted state; returns the states before it, and that one last. */
  async function follow<Name extends 'sourceLive' | 'sourcesLive'>(
    name: Name,
    path: { readonly [name: string]: string },
    isWanted: (state: Answer<Name>) => boolean,
  ): Promise<[...Answer<Name>[], Answer<Name>]> {
    const leave = new AbortController();
    const { path: template, answer } = endpoints[name];
    const response = await fetch(`${origin}${filled(template, path)}`, { headers, signal: leave.signal });
    const states: Answer<Name>[] = [];
    let text = '';
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const events = text.split('\n\n');
        text = events.pop()!;
        for (const event of events) {
          const [, type, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
          if (type === 'problem') throw new Refused(200, data!);
          if (type !== 'state') continue;
          said.push(data!);
          const state = answer.parse(JSON.parse(data!)) as Answer<Name>;
          states.push(state);
          if (isWanted(state)) return states as [...Answer<Name>[], Answer<Name>];
        }
      }
    } finally {
      leave.abort();
    }
    throw new Error(`the stream of ${name} ended`);
  }

  return { folder, said, ask, follow };
}

function filled(template: string, path: { readonly [name: string]: string | number }): string {
  const rest = new URLSearchParams();
  let filledIn = template;
  for (const [name, value] of Object.entries(path)) {
    if (filledIn.includes(`{${name}}`)) filledIn = filledIn.replace(`{${name}}`, encodeURIComponent(value));
    else rest.set(name, String(value));
  }
  return rest.size === 0 ? filledIn : `${filledIn}?${rest.toString()}`;
}
