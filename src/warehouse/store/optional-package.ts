import { DestinationError } from '../../errors.ts';

/** Loads a module that imports a package which may not be installed, because only one cloud needs it. */
export async function withPackage<Loaded>(
  cloud: string,
  name: string,
  load: () => Promise<Loaded>,
): Promise<Loaded> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw cause;
    throw new DestinationError(
      `Tables in ${cloud} need the package ${name}, which is not installed.`,
      'Install incident-io-source again, without leaving out optional dependencies.',
      { cause },
    );
  }
}
