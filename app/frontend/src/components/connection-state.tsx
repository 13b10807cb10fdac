import type { Problem } from '@/client/problem';

/** Says above the page that it is cut off, until it no longer is. */
export function ConnectionState({ online, problem }: { online: boolean; problem: Problem | null }) {
  const text = !online
    ? 'You are offline. What you see may be old.'
    : problem?.isConnection
      ? `${problem.message} Retrying…`
      : null;
  return (
    <div className="connection" role="status">
      {text && <p>{text}</p>}
    </div>
  );
}
