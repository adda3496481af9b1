import type { Call } from '../src/incident-io/client.ts';
import type { Table } from '../src/tables/table.ts';
import type { Warehouse } from '../src/warehouse/warehouse.ts';
import type { Clients } from './clients.ts';

/** What a step of a run works with. */
export type Step = {
  readonly table: Table;
  /** The declaration of the table by whose rows it is read, if there is one. */
  readonly parent?: Table;
  readonly warehouse: Warehouse;
  readonly clients: Clients;
  readonly call: Call;
};
