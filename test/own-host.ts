import { randomUUID } from 'node:crypto';

// Connections whose tables are in folders of one host share a queue, and all test files share a Temporal server: as
// hosts of their own, no file's worker takes another's runs.
process.env['INCIDENT_IO_SOURCE_HOST'] = `test-${randomUUID().slice(0, 8)}`;
