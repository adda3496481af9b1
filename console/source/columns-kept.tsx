import type { TableSettingsJson } from '../../src/console/contract/common.ts';
import type { OfferedTable } from '../../src/console/contract/link.ts';

type Props = {
  readonly columns: OfferedTable['columns'];
  readonly settings: TableSettingsJson;
  readonly set: (settings: TableSettingsJson) => void;
};

/** Which columns get values. Columns of the key always do. */
export function ColumnsKept({ columns, settings, set }: Props) {
  const excluded = settings.columns?.exclude ?? [];
  return (
    <details>
      <summary>
        Columns kept ({columns.length - excluded.length} of {columns.length})
      </summary>
      <p className="muted">
        A column that is not kept stays in the table, without values. Personal data is marked.
      </p>
      <ul className="columns-kept">
        {columns.map(({ name, description, personal, key }) => (
          <li key={name}>
            <label className="check">
              <input
                type="checkbox"
                checked={!excluded.includes(name)}
                disabled={key}
                onChange={(event) =>
                  set(
                    withExcluded(
                      settings,
                      event.target.checked
                        ? excluded.filter((one) => one !== name)
                        : [...excluded, name].sort(),
                    ),
                  )
                }
              />
              <span>
                <code>{name}</code> {personal && <span className="badge warn">Personal</span>}
                {key && <span className="badge quiet">Key</span>}
                <span className="table-description">{description}</span>
              </span>
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Defaults are left out of the file. */
function withExcluded(settings: TableSettingsJson, exclude: readonly string[]): TableSettingsJson {
  const { columns = {}, ...others } = settings;
  const { exclude: _exclude, ...otherColumns } = columns;
  const left = exclude.length > 0 ? { ...otherColumns, exclude: [...exclude] } : otherColumns;
  return Object.keys(left).length > 0 ? { ...others, columns: left } : others;
}
