import { perProcess } from './per-process';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Settings {
  /** Origin of the backend, without a trailing slash. */
  backendUrl: string;
  /** Bearer token for the backend; empty when the backend is open. */
  apiToken: string;
  logLevel: LogLevel;
  port: number;
}

/** All that is wrong with the environment, in one sentence that holds no value of a secret. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/**
 * Read the settings from environment variables.
 * @throws SettingsError that names every problem
 */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const problems: string[] = [];
  const backendUrl = readBackendUrl(env.BACKEND_URL ?? '', problems);

  const apiToken = env.API_TOKEN ?? '';
  if (!/^[\x21-\x7e]*$/.test(apiToken))
    problems.push('API_TOKEN has a space or a character that no HTTP header can carry');

  const logLevel = logLevelOf(env.LOG_LEVEL || 'info');
  if (!LOG_LEVELS.includes(logLevel)) problems.push(`LOG_LEVEL is none of ${LOG_LEVELS.join(', ')}`);

  const port = Number(env.PORT || 3000);
  if (!Number.isInteger(port) || port < 1 || port > 65535) problems.push('PORT is no number from 1 to 65535');

  if (problems.length > 0) throw new SettingsError(`Wrong settings: ${problems.join('; ')}.`);
  return { backendUrl, apiToken, logLevel, port };
}

/** One value serves both services, and the backend's world says `warning`. */
function logLevelOf(text: string): LogLevel {
  const level = text.toLowerCase();
  return (level === 'warning' ? 'warn' : level) as LogLevel;
}

function readBackendUrl(text: string, problems: string[]): string {
  if (text === '') {
    problems.push('BACKEND_URL is missing (for example http://todo-chatbot-backend:8000)');
    return '';
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol))
    problems.push('BACKEND_URL is no http or https URL');
  else if (url.username || url.password) problems.push('BACKEND_URL holds a user or password; use API_TOKEN');
  else if (url.pathname !== '/' || url.search || url.hash)
    problems.push('BACKEND_URL has more than scheme, host and port');
  return url?.origin ?? '';
}

/** The settings of this process; read once. */
export function settings(): Settings {
  return perProcess('settings', () => readSettings(process.env));
}
