import { DestinationNotServedError } from '../src/errors.ts';
import { placeOf } from '../src/warehouse/store/destination.ts';
import type { Warehouse } from '../src/warehouse/warehouse.ts';
import type { TableRun } from './contract.ts';

/** What determines where a run's tables are: its own destination, or a queue that belongs to one. */
export type RunOrigin = Pick<TableRun, 'destination'> & { readonly taskQueue: string };

/** The warehouses that a worker's runs may use. */
export type Warehouses = {
  /**
   * Gives `work` the warehouse of a run; opens it if it is not open. Throws `DestinationNotServedError` for a destination
   * that this worker does not serve.
   */
  use<T>(origin: RunOrigin, work: (warehouse: Warehouse) => Promise<T>): Promise<T>;
  /**
   * The API's address and the reference to the key, from the settings of the run's connection. They override the run's
   * input: otherwise anyone who may start a run could send a key elsewhere. `undefined` for a platform's runs, which
   * have nothing but their input.
   */
  sourceOf(run: Pick<TableRun, 'destination'>): Pick<TableRun, 'apiKey' | 'baseUrl'> | undefined;
};

/** For a worker with one warehouse. */
export function onlyWarehouse(warehouse: Warehouse): Warehouses {
  return {
    async use({ destination = warehouse.destination, taskQueue }, work) {
      if (placeOf(destination, '') !== placeOf(warehouse.destination, ''))
        throw notServed(destination, taskQueue, 'later');
      return work(warehouse);
    },
    sourceOf: () => undefined,
  };
}

/** @param retry `later` if another worker of the queue may serve it */
export function notServed(
  destination: string | undefined,
  taskQueue: string,
  retry: 'never' | 'later',
): DestinationNotServedError {
  const what =
    destination === undefined ? 'a run that names no destination' : `the destination ${destination}`;
  return new DestinationNotServedError(
    `This worker of the queue ${taskQueue} does not serve ${what}: it is not in its settings.`,
    retry === 'never'
      ? 'Add its settings file to those of the pool’s workers, or run apply if the connection has moved.'
      : 'Give its settings file to the workers of this host or bucket (worker --settings <folder>), or name a pool in it.',
    retry,
  );
}
