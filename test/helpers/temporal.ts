import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, inject } from 'vitest';
import type { TemporalAccess } from '../../src/temporal/connection.ts';

/** The shared Temporal server as a test file uses it; the connection is closed after the file's last test. */
export type TestTemporal = {
  readonly address: string;
  readonly namespace: string;
  readonly connection: NativeConnection;
  readonly client: Client;
  /** For `Worker.create`. */
  readonly workflowBundle: { readonly codePath: string };
};

/** Call this once per test file, outside hooks and tests or in `beforeAll`. */
export async function connectToTestServer(): Promise<TestTemporal> {
  const address = inject('temporalAddress');
  const namespace = 'default';
  const connection = await NativeConnection.connect({ address });
  afterAll(() => connection.close());
  return {
    address,
    namespace,
    connection,
    client: new Client({ connection, namespace }),
    workflowBundle: { codePath: inject('workflowBundlePath') },
  };
}

/** A task queue, workflow id or connection name that no other test of the run uses. */
/** The server as commands are given it. The tests share it, so that nothing here ends it. */
export function accessOf({ connection, namespace, address }: TestTemporal): TemporalAccess {
  return {
    connection,
    namespace,
    address,
    embedded: false,
    uiAddress: undefined,
    revive: async () => undefined,
    close: async () => undefined,
  };
}

export function unique(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`;
}
