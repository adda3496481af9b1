import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { findTemporalCli } from '../src/temporal/dev-server/cli-binary.ts';

/** A Temporal server that serves its metrics. */
export type MeasuredServer = {
  readonly address: string;
  readonly pid: number;
  /** The process of its database, with its children; `undefined` if the database is inside the server. */
  readonly databasePid?: number;
  /** The metrics in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  readonly stop: () => Promise<void>;
};

/**
 * A server that was started elsewhere and is stopped there too.
 * @param text its address, the port of its metrics, its process and that of its database, with commas between them
 */
export function foreignServer(text: string): MeasuredServer {
  const [address, metricsPort, pid, databasePid] = text.split(',');
  return {
    address: address!,
    pid: Number(pid),
    databasePid: Number(databasePid),
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    stop: () => Promise.resolve(),
  };
}

/** Starts a dev server that keeps its database in a folder. */
export async function startMeasuredServer(folder: string): Promise<MeasuredServer> {
  await mkdir(folder, { recursive: true });
  const binary = await findTemporalCli({ env: process.env, report: console.error });
  const [port, metricsPort] = [await freePort(), await freePort()];
  const where = ['--port', String(port), '--metrics-port', String(metricsPort), '--headless'];
  const database = ['--db-filename', join(folder, 'temporal.db'), '--log-level', 'error'];
  const child = spawn(binary, ['server', 'start-dev', ...where, ...database], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = once(child, 'exit');
  const address = `127.0.0.1:${port}`;
  await answers(address);
  return {
    address,
    pid: child.pid!,
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Actions so far by kind, as the server counts them. Temporal Cloud bills by action. */
export function actionsOf(metrics: string): { readonly [kind: string]: number } {
  const actions: Record<string, number> = {};
  for (const line of metrics.split('\n')) {
    const kind = /^action\{.*\baction_type="([^"]*)"/.exec(line)?.[1];
    if (kind !== undefined)
      actions[kind] = (actions[kind] ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return actions;
}

async function answers(address: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: '2s' });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      await connection.close();
      return;
    } catch (error) {
      if (attempt === 50) throw error;
    }
    await sleep(200);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
