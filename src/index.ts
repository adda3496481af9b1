/**
 * `incident-io-source`: incident.io as a source for a pipeline platform. Importing it starts nothing, and loads
 * neither Temporal's worker nor DuckDB.
 */
export type {
  SyncSourceInput,
  SyncTableInput,
  SyncTableResult,
  TableOutcome,
} from '../workflows/contract.ts';
export * from './errors.ts';
export type { TablePermission } from './incident-io/permissions.ts';
export type { KeyReference, Vault, VaultReference } from './settings/key.ts';
export { SourceRegistry } from './plugin/registry.ts';
export { frequencies, type Frequency, type TableSettings } from './settings/settings.ts';
export { createIncidentIoSource, incidentIoSource, type IncidentIoOptions } from './plugin/source.ts';
export type { ColumnType, SyncMethod, TimestampField } from './tables/table.ts';
export type {
  CredentialsCheck,
  ErrorDescription,
  FieldValues,
  SourceColumn,
  SourceConfig,
  SourceField,
  SourceTable,
  SourceWorker,
  SourceWorkerOptions,
  SyncTarget,
  TableSync,
  WarehouseSource,
  WorkflowStart,
} from './plugin/warehouse-source.ts';
