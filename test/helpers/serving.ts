import { createServer } from 'node:net';

/** A port at which nothing listened a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

/** The figures that a worker serves to Prometheus. */
export type Figures = {
  /** The sum of a metric's values that have this table and this text among their labels. */
  (name: string, table: string, label?: string): number | undefined;
  /** The number of such values. */
  readonly series: (name: string, table: string, label?: string) => number;
  readonly text: string;
};

export async function scrape(address: string): Promise<Figures> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const valuesOf = (name: string, table: string, label = '') =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) && line.includes(label))
      .filter((line) => table === '' || line.includes(`table="${table}"`))
      .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1).replace(/^\+?inf$/i, 'Infinity')));
  const sum = (name: string, table: string, label?: string) => {
    const values = valuesOf(name, table, label);
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
  };
  return Object.assign(sum, {
    text,
    series: (name: string, table: string, label?: string) => valuesOf(name, table, label).length,
  });
}
