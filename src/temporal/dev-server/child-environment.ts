/** What any program needs to run at all. */
const basics = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ'];

/** What a program needs to reach the outside the way this one does. */
const network = [
  'HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy',
  'SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE PIP_CERT PIP_PROXY PIP_TRUSTED_HOST',
  'PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CONFIG_FILE XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_CACHE_HOME',
  'VIRTUAL_ENV PYENV_ROOT PYENV_VERSION',
].flatMap((names) => names.split(' '));

/**
 * The environment of a child process: only the variables named here, because any other may hold an API key (its
 * owner chose the variable's name).
 * @param kind `network` for a child that fetches something.
 */
export function childEnvironment(env: NodeJS.ProcessEnv, kind: 'local' | 'network'): NodeJS.ProcessEnv {
  const names = kind === 'local' ? basics : [...basics, ...network];
  const passed = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  return { ...Object.fromEntries(passed), ...(kind === 'network' && withoutProxy(env)) };
}

/** The SDK starts the server that it has downloaded and connects to it, which a proxy could not do for it. */
function withoutProxy(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const hosts = [env['no_proxy'] || env['NO_PROXY'], 'localhost,127.0.0.1'].filter(Boolean).join(',');
  return { no_proxy: hosts, NO_PROXY: hosts };
}
