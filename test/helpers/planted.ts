import type { ApiRecord, Table } from '../../src/tables/table.ts';

/** A value that must never leave an answer. */
export const planted = 'PLANTED-VALUE';

/** A record with recognisable values in all declared secrets, and in undeclared fields that look like one. */
export function withPlantedSecrets({ secrets = [], columns }: Table, record: ApiRecord): ApiRecord {
  const planted = secrets.reduce((before, path) => withPlanted(before, path.split('.')), record);
  const json = Object.entries(columns).find(
    ([name, { type, from }]) => type === 'json' && !from && !secrets.some((path) => path.startsWith(name)),
  )?.[0];
  return {
    ...planted,
    ...undeclared,
    ...(json !== undefined && withValue(planted, [json, 'inside'], [undeclared])),
  };
}

const undeclared = {
  signing_key: planted,
  webhook_url: `https://hooks.example/${planted}`,
  credentials: { user: planted },
};

/** The value with the planted one at a path such as `images[].url`. */
function withPlanted(value: unknown, path: readonly string[]): ApiRecord {
  return withValue(value, path, planted);
}

/** The value with another one at a path such as `images[].url`. */
export function withValue(value: unknown, [step, ...others]: readonly string[], at: unknown): ApiRecord {
  const before =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ApiRecord) : {};
  const field = step!.replace(/(\[\])+$/, '');
  const inner = others.length === 0 ? at : withValue(before[field], others, at);
  return { ...before, [field]: step === field ? inner : [inner] };
}
