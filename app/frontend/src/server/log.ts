import { LOG_LEVELS, type LogLevel, settings } from './settings';

/**
 * Write one JSON line to stdout, unless `LOG_LEVEL` hides it.
 * @param fields what else to say; never a secret and never what a person typed
 */
export function log(level: LogLevel, message: string, fields: Record<string, unknown> = {}): void {
  if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(settings().logLevel)) return;
  const line = { time: new Date().toISOString(), level, message, ...fields };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
