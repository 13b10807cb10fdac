import { metrics } from './metrics';
import { perProcess } from './per-process';

interface State {
  warmed: boolean;
  stopping: boolean;
  backendReached: boolean;
}

const state = perProcess<State>('readiness', () => ({
  warmed: false,
  stopping: false,
  backendReached: true,
}));

/** Why this process should get no traffic now, or null when it should. */
export function notReadyReason(): string | null {
  if (state.stopping) return 'shutting down';
  if (!state.warmed) return 'starting';
  if (!state.backendReached) return 'the last call did not reach the backend';
  return null;
}

/** Note that something changed what `/ready` will answer. */
export function updateReadiness(change: Partial<State>): void {
  Object.assign(state, change);
  metrics().ready.set(notReadyReason() === null ? 1 : 0);
}

/** Whether the process was told to stop. */
export function isStopping(): boolean {
  return state.stopping;
}

/** Whether only the backend's silence keeps this process from being ready. */
export function waitsForBackend(): boolean {
  return state.warmed && !state.stopping && !state.backendReached;
}
