/** What any program needs to run at all. */
const basics = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ'];

/** What a program needs to reach the outside from where this one can. */
const network = [
  'HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy',
  'SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE PIP_CERT PIP_PROXY PIP_TRUSTED_HOST',
  'PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CONFIG_FILE XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_CACHE_HOME',
  'VIRTUAL_ENV PYENV_ROOT PYENV_VERSION',
].flatMap((names) => names.split(' '));

/**
 * The environment of a child process: only variables that are named here, since any other may hold an API key
 * (the key's variable has the name its owner chose). `network` is for a child that fetches something.
 */
export function childEnvironment(env: NodeJS.ProcessEnv, kind: 'local' | 'network'): NodeJS.ProcessEnv {
  const names = kind === 'local' ? basics : [...basics, ...network];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
