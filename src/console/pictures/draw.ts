import { defined } from '../../defined.ts';
import { UsageError } from '../../errors.ts';
import { failureOf, isForeseen } from '../../failure.ts';
import type { DrawnPicture } from '../contract/data.ts';
import { namesIn } from '../data/tables.ts';
import { mostRows, rowsOf } from '../data/sql.ts';
import { problemJson } from '../problem-json.ts';
import { pictures } from './pictures.ts';

/** A picture with its figures, or the tables it lacks. Throws `UsageError` if there is no such picture. */
export async function drawPicture(file: string, name: string, signal: AbortSignal): Promise<DrawnPicture> {
  const picture = pictures.find((one) => one.name === name);
  if (!picture) {
    const names = pictures.map((one) => one.name).join(', ');
    throw new UsageError(`There is no picture ${JSON.stringify(name)}.`, `The pictures are ${names}.`);
  }
  const there = await namesIn(file);
  const missing = picture.needs.filter((table) => !there.includes(table));
  if (missing.length > 0) return { ...picture, missing };
  try {
    return { ...picture, missing, result: await rowsOf(file, { sql: picture.sql, limit: mostRows }, signal) };
  } catch (error) {
    if (!isForeseen(error) || signal.aborted) throw error;
    // For example, the settings leave out a column that it needs: the page still shows the other pictures.
    return { ...picture, missing, ...defined({ failure: problemJson(failureOf(error)) }) };
  }
}
