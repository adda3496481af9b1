import type { TableSettingsJson } from '../../src/console/contract/common.ts';
import type { OfferedTable } from '../../src/console/contract/link.ts';
import { counted, countOf } from '../format/numbers.ts';
import { span } from '../format/times.ts';
import { FieldChoice, FrequencyChoice, MethodChoice } from '../source/sync-choices.tsx';
import { defaultsOf } from './choose.ts';
import type { Permission } from './table-group.tsx';

type Props = {
  readonly table: OfferedTable;
  readonly frequencies: readonly string[];
  readonly permission: Permission | undefined;
  /** Missing if the table is not chosen. */
  readonly settings: TableSettingsJson | undefined;
  readonly tick: (on: boolean) => void;
  readonly set: (settings: TableSettingsJson) => void;
};

/** A table to choose: what it is, how it would be synced, and what that costs. */
export function TableRow({ table, frequencies, permission, settings, tick, set }: Props) {
  const { table: name, description, scope, parent, nested } = table;
  const allowed = permission?.allowed === true;
  const shown = settings ?? defaultsOf(table);
  const choices = { table, settings: shown, set, disabled: !settings };
  return (
    <tr className={allowed ? '' : 'refused'}>
      <th scope="row">
        <label className="table-label">
          <input
            type="checkbox"
            checked={settings !== undefined}
            disabled={!allowed}
            onChange={(event) => tick(event.target.checked)}
          />
          <span>
            <span className="table-name">{name}</span>
            <span className="table-description">
              {description}
              {parent !== undefined && ` Read by the rows of ${parent}.`}
              {nested.length > 0 && ` Comes with ${nested.join(', ')}.`}
            </span>
            {!allowed && <Refusal permission={permission} />}
          </span>
        </label>
      </th>
      <td>
        <MethodChoice {...choices} />
      </td>
      <td>
        <FieldChoice {...choices} />
      </td>
      <td>
        <FrequencyChoice {...choices} frequencies={frequencies} />
      </td>
      <td className="number">{permission?.rows === undefined ? '' : counted(permission.rows)}</td>
      <td className="number nowrap">
        <Estimate permission={permission} />
      </td>
      <td>{scope === undefined ? <span className="muted">any key</span> : <code>{scope}</code>}</td>
    </tr>
  );
}

function Estimate({ permission }: { readonly permission: Permission | undefined }) {
  const estimate = permission?.estimate;
  if (!estimate) return null;
  const { fullRead, atLeast, seconds } = estimate;
  return (
    <>
      {atLeast && '≥ '}
      {countOf(fullRead, 'request')}
      <br />
      <span className="muted">{span(seconds)}</span>
    </>
  );
}

function Refusal({ permission }: { readonly permission: Permission | undefined }) {
  if (permission?.scope !== undefined) {
    return (
      <span className="refusal">
        The key lacks the scope <code>{permission.scope}</code>.
      </span>
    );
  }
  return <span className="refusal">{permission?.message ?? 'The key cannot read it.'}</span>;
}
