import { onTestFinished, vi } from 'vitest';
import { credentials } from './s3-gateway.ts';

/** Variables that keep the AWS SDK from finding anything else that this machine has for it. */
export const awsVariables = {
  ...credentials,
  AWS_CONFIG_FILE: '/nowhere',
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
};

/** Variables that keep Azure's libraries from finding anything else that this machine has for them. */
export const azureVariables = {
  AZURE_STORAGE_CONNECTION_STRING: undefined,
  AZURE_STORAGE_ACCOUNT_KEY: Buffer.from('secret').toString('base64'),
  AZURE_STORAGE_KEY: undefined,
  AZURE_STORAGE_SAS_TOKEN: undefined,
};

/** Sets variables of this process until the test is over. */
export function setEnv(variables: { readonly [name: string]: string | undefined }): void {
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}
