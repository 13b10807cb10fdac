import { useEffect, useSyncExternalStore } from 'react';
import type { Problem } from './problem';

function subscribeToNetwork(listener: () => void): () => void {
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
}

/** Whether the browser says that it has a network. */
export function useOnline(): boolean {
  return useSyncExternalStore(
    subscribeToNetwork,
    () => navigator.onLine,
    () => true,
  );
}

const BETWEEN_LOOKS_MS = 500;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;

/** How long to wait before asking again after so many failures in a row, in milliseconds. */
export function retryDelay(failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
}

/**
 * Load again when the window is looked at, when the network is back, and, only while the service cannot be reached,
 * after growing waits. Nothing asks while all is well, so that an idle database may sleep.
 */
export function useReloading(reload: () => Promise<void>, problem: Problem | null, online: boolean): void {
  useEffect(() => {
    let last = Number.NEGATIVE_INFINITY;
    const look = () => {
      // Coming back to a tab tells twice.
      if (document.visibilityState !== 'visible' || performance.now() - last < BETWEEN_LOOKS_MS) return;
      last = performance.now();
      void reload();
    };
    document.addEventListener('visibilitychange', look);
    window.addEventListener('focus', look);
    window.addEventListener('online', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('focus', look);
      window.removeEventListener('online', look);
    };
  }, [reload]);

  const unreachable = problem?.kind === 'unreachable';
  useEffect(() => {
    if (!unreachable || !online) return;
    let failures = 1;
    let timer: ReturnType<typeof setTimeout>;
    const again = async () => {
      if (document.visibilityState === 'visible') await reload();
      failures += 1;
      timer = setTimeout(again, retryDelay(failures));
    };
    timer = setTimeout(again, retryDelay(failures));
    return () => clearTimeout(timer);
  }, [reload, unreachable, online]);
}
